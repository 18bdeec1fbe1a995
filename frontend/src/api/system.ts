import { queryOptions, useQuery } from '@tanstack/react-query';

import { api, call } from './client';

export const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/system', { signal })),
  staleTime: Infinity,
});

/** Version and public addresses of this Headrace; they change only with a restart. */
export const useSystem = () => useQuery(systemQuery);
