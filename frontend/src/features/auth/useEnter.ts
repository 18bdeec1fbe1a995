import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';

import { rememberCsrfToken } from '@/api/csrf';
import type { Session } from '@/api/types';

/** Opens a session by `open`, then goes where the reader wanted to be. */
export function useEnter<Values>(open: (values: Values) => Promise<Session>): UseMutationResult<Session, Error, Values> {
  const queryClient = useQueryClient();
  const router = useRouter();
  const { next } = useSearch({ strict: false });
  return useMutation({
    mutationFn: open,
    onSuccess: (session) => {
      rememberCsrfToken(session.csrf_token);
      // Whatever an earlier person saw in this tab is not for this one.
      queryClient.clear();
      router.history.push(next ?? '/');
    },
  });
}
