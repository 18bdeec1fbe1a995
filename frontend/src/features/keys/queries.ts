import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { allItems, everyPage, paging } from '@/api/paging';
import type { Key, KeyLimits } from '@/api/types';

const keysKey = (projectId: string) => ['keys', projectId] as const;

const inProject = (projectId: string) => ({ path: { project_id: projectId } });

export const useKeys = (projectId: string) =>
  useQuery({
    queryKey: keysKey(projectId),
    queryFn: ({ signal }) => everyPage((page) => call(api.GET('/api/v1/projects/{project_id}/keys', { params: { ...inProject(projectId), query: page }, signal }))),
  });

/** What the project's keys did in the last 30 days. */
export const useKeyUses = (projectId: string) =>
  useQuery({
    queryKey: ['key-uses', projectId],
    queryFn: async ({ signal }) => (await call(api.GET('/api/v1/projects/{project_id}/monitoring/keys', { params: inProject(projectId), signal }))).items,
  });

/** What one key did. */
export const useKeyHistory = (projectId: string, keyId: string, days: number) =>
  useQuery({
    queryKey: ['key-uses', projectId, keyId, days],
    queryFn: ({ signal }) => call(api.GET('/api/v1/projects/{project_id}/keys/{id}/monitoring', { params: { path: { project_id: projectId, id: keyId }, query: { days } }, signal })),
  });

/** From where a key was used. */
export const useKeyAddresses = (projectId: string, keyId: string) =>
  useQuery({
    queryKey: ['key-uses', projectId, keyId, 'addresses'],
    queryFn: async ({ signal }) => (await call(api.GET('/api/v1/projects/{project_id}/keys/{id}/addresses', { params: { path: { project_id: projectId, id: keyId } }, signal }))).items,
  });

/** The keys of all of an organization's projects, page by page. */
export const useOrganizationKeys = (organizationId: string) =>
  useInfiniteQuery({
    queryKey: ['keys', 'of-organization', organizationId],
    queryFn: ({ signal, pageParam }) =>
      call(api.GET('/api/v1/organizations/{organization_id}/keys', { params: { path: { organization_id: organizationId }, query: { limit: 200, ...pageParam } }, signal })),
    ...paging,
    select: allItems,
  });

export const useOrganizationKeyUses = (organizationId: string) =>
  useQuery({
    queryKey: ['key-uses', 'of-organization', organizationId],
    queryFn: async ({ signal }) => (await call(api.GET('/api/v1/organizations/{organization_id}/monitoring/keys', { params: { path: { organization_id: organizationId } }, signal }))).items,
  });

/** Service accounts that a key may act for. */
export const useServiceAccounts = (organizationId: string) =>
  useQuery({
    queryKey: ['service-accounts', organizationId],
    queryFn: ({ signal }) =>
      everyPage((page) => call(api.GET('/api/v1/organizations/{organization_id}/service-accounts', { params: { path: { organization_id: organizationId }, query: page }, signal }))),
  });

/** What keys can be for; it changes with the server alone. */
export const useScopes = () =>
  useQuery({
    queryKey: ['scopes'],
    queryFn: async ({ signal }) => (await call(api.GET('/api/v1/scopes', { signal }))).items,
    staleTime: Number.POSITIVE_INFINITY,
  });

export interface NewKey {
  name: string;
  scopes: Key['scopes'];
  expires_at: string | null;
  limits: KeyLimits;
  deployments: string[] | null;
  networks: string[];
  owner_id: string | null;
}

export function useCreateKey(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewKey) => call(api.POST('/api/v1/projects/{project_id}/keys', { params: inProject(projectId), body })),
    onSuccess: () => client.invalidateQueries({ queryKey: keysKey(projectId) }),
    // The answer holds the secret: forget it with the dialog that shows it.
    gcTime: 0,
  });
}

export type KeyChange = Pick<NewKey, 'name' | 'limits' | 'deployments' | 'networks'>;

export function useUpdateKey(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, change }: { key: Key; change: KeyChange }) =>
      call(api.PATCH('/api/v1/projects/{project_id}/keys/{id}', { params: { path: { project_id: projectId, id: key.id } }, body: change })),
    onSuccess: () => client.invalidateQueries({ queryKey: keysKey(projectId) }),
  });
}

export function useRotateKey(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, overlapSeconds }: { key: Key; overlapSeconds: number }) =>
      call(api.POST('/api/v1/projects/{project_id}/keys/{id}/rotate', { params: { path: { project_id: projectId, id: key.id } }, body: { overlap_s: overlapSeconds } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keysKey(projectId) }),
    // As with a new key.
    gcTime: 0,
  });
}

export function useRevokeKey(projectId: string) {
  const client = useQueryClient();
  return async (key: Key) => {
    await call(api.DELETE('/api/v1/projects/{project_id}/keys/{id}', { params: { path: { project_id: projectId, id: key.id } } }));
    await client.invalidateQueries({ queryKey: keysKey(projectId) });
  };
}
