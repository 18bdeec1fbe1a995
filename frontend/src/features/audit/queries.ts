import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { allItems, paging } from '@/api/paging';

import { type AuditSearch, toQuery } from './search';

const PAGE = 50;

/** Newest first. */
export const auditQuery = (organizationId: string, search: AuditSearch) =>
  infiniteQueryOptions({
    queryKey: ['audit', organizationId, search] as const,
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET('/api/v1/organizations/{organization_id}/audit', {
          params: { path: { organization_id: organizationId }, query: { limit: PAGE, ...toQuery(search), ...pageParam } },
          signal,
        }),
      ),
    ...paging,
    select: allItems,
  });

/** One entry, which never changes. */
export const entryQuery = (organizationId: string, number: number) =>
  queryOptions({
    queryKey: ['audit', organizationId, 'entry', number] as const,
    queryFn: ({ signal }) => call(api.GET('/api/v1/organizations/{organization_id}/audit/{number}', { params: { path: { organization_id: organizationId, number } }, signal })),
    staleTime: Infinity,
  });

/** Where the browser fetches the same as a file. */
export const exportAddress = (organizationId: string, search: AuditSearch, format: 'csv' | 'jsonl'): string =>
  `/api/v1/organizations/${organizationId}/audit/export?${new URLSearchParams({ ...toQuery(search), format }).toString()}`;
