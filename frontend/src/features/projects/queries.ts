import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { requestsQuery } from '@/api/deployments';
import { allItems, everyPage, paging } from '@/api/paging';
import { projectKeys } from '@/api/projects';

/** How many keys of the project work: neither revoked nor expired. Its cache key begins like the key page's, so that a change there is seen here. */
export const useWorkingKeys = (projectId: string) =>
  useQuery({
    queryKey: ['keys', projectId, 'working'],
    queryFn: async ({ signal }) => {
      const keys = await everyPage((page) => call(api.GET('/api/v1/projects/{project_id}/keys', { params: { path: { project_id: projectId }, query: page }, signal })));
      return keys.filter((key) => !key.revoked_at && (!key.expires_at || new Date(key.expires_at).getTime() > Date.now())).length;
    },
  });

/** The traffic of one deployment in the last hour, all together. */
export const useLastHour = (projectId: string, deploymentId: string) => useQuery({ ...requestsQuery(projectId, deploymentId, 60), select: (summary) => summary.totals });

/** The projects that a search finds, page by page; all of them for an empty one. */
export const useProjectSearch = (organizationId: string, q: string) =>
  useInfiniteQuery({
    queryKey: [...projectKeys.list(organizationId), 'search', q],
    queryFn: ({ signal, pageParam }) =>
      call(api.GET('/api/v1/organizations/{organization_id}/projects', { params: { path: { organization_id: organizationId }, query: { q, ...pageParam } }, signal })),
    ...paging,
    select: allItems,
    placeholderData: keepPreviousData,
  });
