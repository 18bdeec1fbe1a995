/** Who is signed in. */
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';

import { api, call } from './client';
import { rememberCsrfToken } from './csrf';
import type { Me } from './types';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }): Promise<Me> => {
    const me = await call(api.GET('/api/v1/me', { signal }));
    rememberCsrfToken(me.csrf_token);
    return me;
  },
  staleTime: 5 * 60_000,
});

/** The signed-in person; only below the session route, which has loaded it. */
export const useMe = (): Me => useSuspenseQuery(meQuery).data;
