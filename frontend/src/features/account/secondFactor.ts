import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { meQuery } from '@/api/session';

/** The answer holds the secret: forgotten with the dialog that shows it. */
export const useBegin = () => useMutation({ mutationFn: (body: { password: string }) => call(api.POST('/api/v1/me/second-factor', { body })), gcTime: 0 });

export const useConfirm = () => useMutation({ mutationFn: (body: { code: string }) => call(api.POST('/api/v1/me/second-factor/confirm', { body })), gcTime: 0 });

export interface BothFactors {
  password: string;
  code: string;
}

export const useReplaceRecoveryCodes = () => useMutation({ mutationFn: (body: BothFactors) => call(api.POST('/api/v1/me/second-factor/recovery-codes', { body })), gcTime: 0 });

export const useRemove = () => useMutation({ mutationFn: (body: BothFactors) => call(api.POST('/api/v1/me/second-factor/remove', { body })) });

/** Reads anew whether there is a second factor. */
export function useRefreshMe(): () => void {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: meQuery.queryKey, exact: true });
}
