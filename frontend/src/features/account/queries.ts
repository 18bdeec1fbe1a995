import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, call } from '@/api/client';
import type { OwnSession } from '@/api/types';

const SESSIONS = ['me', 'sessions'] as const;

export const useSessions = () =>
  useQuery({ queryKey: SESSIONS, queryFn: async ({ signal }) => (await call(api.GET('/api/v1/me/sessions', { signal }))).items });

export function useEndSession() {
  const client = useQueryClient();
  return async (session: OwnSession) => {
    await call(api.DELETE('/api/v1/me/sessions/{session_id}', { params: { path: { session_id: session.id } } }));
    await client.invalidateQueries({ queryKey: SESSIONS });
  };
}

export interface PasswordChange {
  current_password: string;
  new_password: string;
}

export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: PasswordChange) => call(api.POST('/api/v1/me/password', { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: SESSIONS }),
  });
}

export function useDeleteAccount() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (body: { password: string }) => call(api.POST('/api/v1/me/deletion', { body })),
    onSuccess: async () => {
      await navigate({ to: '/signup' });
      client.clear();
    },
  });
}
