import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';

import { ApiError } from '@/api/problem';

const STALE_MS = 15_000;
const RETRY_BASE_MS = 400;

/** The cache of server state; `onSignedOut` is told when the session is over and could not be renewed. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: Error) => {
    if (error instanceof ApiError && error.status === 401) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // A server on this machine answers without any network; `useConnection` is the judge, not the browser.
      queries: { staleTime: STALE_MS, retry: isWorthRetrying, retryDelay: () => RETRY_BASE_MS * (1 + Math.random()), networkMode: 'always' },
      mutations: { networkMode: 'always' },
    },
  });
}

/** One retry, and only where another answer is likely. */
const isWorthRetrying = (failures: number, error: Error): boolean => failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500);
