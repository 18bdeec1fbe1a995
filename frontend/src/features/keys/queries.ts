import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { everyPage } from '@/api/paging';
import type { Key, KeyLimits } from '@/api/types';

const keysKey = (projectId: string) => ['keys', projectId] as const;

const inProject = (projectId: string) => ({ path: { project_id: projectId } });

export const useKeys = (projectId: string) =>
  useQuery({
    queryKey: keysKey(projectId),
    queryFn: ({ signal }) => everyPage((page) => call(api.GET('/api/v1/projects/{project_id}/keys', { params: { ...inProject(projectId), query: page }, signal }))),
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
