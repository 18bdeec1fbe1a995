import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { everyPage } from '@/api/paging';
import type { ServiceAccount } from '@/api/types';

export const SERVICE_ROLES: readonly ServiceAccount['role'][] = ['viewer', 'developer', 'admin'];

const accountsKey = (organizationId: string) => ['service-accounts', organizationId] as const;

export const useServiceAccounts = (organizationId: string) =>
  useQuery({
    queryKey: accountsKey(organizationId),
    queryFn: ({ signal }) =>
      everyPage((page) => call(api.GET('/api/v1/organizations/{organization_id}/service-accounts', { params: { path: { organization_id: organizationId }, query: page }, signal }))),
  });

export function useCreateServiceAccount(organizationId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; role: ServiceAccount['role'] }) =>
      call(api.POST('/api/v1/organizations/{organization_id}/service-accounts', { params: { path: { organization_id: organizationId } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: accountsKey(organizationId) }),
  });
}

interface Change {
  name?: string;
  role?: ServiceAccount['role'];
  is_disabled?: boolean;
}

export function useChangeServiceAccount(organizationId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ account, change }: { account: ServiceAccount; change: Change }) =>
      call(api.PATCH('/api/v1/organizations/{organization_id}/service-accounts/{id}', { params: { path: { organization_id: organizationId, id: account.id } }, body: change })),
    onSuccess: () => client.invalidateQueries({ queryKey: accountsKey(organizationId) }),
  });
}

export function useDeleteServiceAccount(organizationId: string) {
  const client = useQueryClient();
  return async ({ id }: ServiceAccount) => {
    await call(api.DELETE('/api/v1/organizations/{organization_id}/service-accounts/{id}', { params: { path: { organization_id: organizationId, id } } }));
    await client.invalidateQueries({ queryKey: accountsKey(organizationId) });
  };
}
