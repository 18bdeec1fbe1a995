import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { leave } from '@/lib/leave';

const IDENTITIES = ['me', 'identities'] as const;

export const useIdentities = () =>
  useQuery({ queryKey: IDENTITIES, queryFn: async ({ signal }) => (await call(api.GET('/api/v1/me/identities', { signal }))).items });

export const useLink = () =>
  useMutation({
    mutationFn: (body: { provider: string; password: string }) => call(api.POST('/api/v1/me/identities', { body })),
    onSuccess: ({ url }) => leave(url),
  });

export function useUnlink(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { password: string }) => call(api.POST('/api/v1/me/identities/{identity_id}/remove', { params: { path: { identity_id: id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: IDENTITIES }),
  });
}
