/** Organizations themselves: founding, changing, leaving to others, deleting and bringing back. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { OrganizationSettings, SettingsPatch } from '@/api/types';

const inOrganization = (organizationId: string) => ({ params: { path: { organization_id: organizationId } } });
const settingsKey = (organizationId: string) => ['organization-settings', organizationId] as const;
const DELETED = ['deleted-organizations'] as const;

/** After what changes where the person belongs: everything that they see may be another's. */
function useRefreshMe() {
  const client = useQueryClient();
  return () => Promise.all([client.invalidateQueries({ queryKey: ['me'] }), client.invalidateQueries({ queryKey: DELETED })]);
}

export function useFound() {
  const refresh = useRefreshMe();
  return useMutation({
    mutationFn: (body: { name: string }) => call(api.POST('/api/v1/organizations', { body })),
    onSuccess: refresh,
  });
}

export function useUpdateOrganization(organizationId: string) {
  const refresh = useRefreshMe();
  return useMutation({
    mutationFn: (body: { name?: string; slug?: string }) => call(api.PATCH('/api/v1/organizations/{organization_id}', { ...inOrganization(organizationId), body })),
    onSuccess: refresh,
  });
}

export function useDeleteOrganization(organizationId: string) {
  const refresh = useRefreshMe();
  return async () => {
    await call(api.DELETE('/api/v1/organizations/{organization_id}', inOrganization(organizationId)));
    await refresh();
  };
}

export function useHandOver(organizationId: string) {
  const refresh = useRefreshMe();
  return async (userId: string) => {
    await call(api.POST('/api/v1/organizations/{organization_id}/transfer', { ...inOrganization(organizationId), body: { user_id: userId } }));
    await refresh();
  };
}

/** The deleted organizations that the person may bring back. */
export const useDeletedOrganizations = () => useQuery({ queryKey: DELETED, queryFn: async ({ signal }) => (await call(api.GET('/api/v1/me/deleted-organizations', { signal }))).items });

export function useRestoreOrganization() {
  const refresh = useRefreshMe();
  return useMutation({
    mutationFn: (id: string) => call(api.POST('/api/v1/me/deleted-organizations/{deleted_id}/restore', { params: { path: { deleted_id: id } } })),
    onSuccess: refresh,
  });
}

export const useOrganizationSettings = (organizationId: string) =>
  useQuery({
    queryKey: settingsKey(organizationId),
    queryFn: ({ signal }) => call(api.GET('/api/v1/organizations/{organization_id}/settings', { ...inOrganization(organizationId), signal })),
  });

export function useChangeSettings(organizationId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: SettingsPatch) => call(api.PATCH('/api/v1/organizations/{organization_id}/settings', { ...inOrganization(organizationId), body })),
    onSuccess: (settings: OrganizationSettings) => client.setQueryData(settingsKey(organizationId), settings),
  });
}

export const useUsage = (organizationId: string) =>
  useQuery({
    queryKey: ['usage', organizationId],
    queryFn: ({ signal }) => call(api.GET('/api/v1/organizations/{organization_id}/usage', { ...inOrganization(organizationId), signal })),
  });

/** Requests of the last `days` days, today's included. */
export const useTraffic = (organizationId: string, days: number) =>
  useQuery({
    queryKey: ['traffic', organizationId, days],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/organizations/{organization_id}/monitoring/requests', { params: { path: { organization_id: organizationId }, query: { days } }, signal })),
  });
