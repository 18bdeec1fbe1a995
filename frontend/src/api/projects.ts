/** The project the page is about, found by the words in its URL. */
import { queryOptions, skipToken, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';

import { api, call } from './client';
import type { Project } from './types';

export const projectKeys = {
  list: (organizationId: string) => ['projects', organizationId] as const,
  /** Everything known of single projects; their counts change when models or deployments come and go. */
  each: ['project'] as const,
  bySlug: (organization: string, project: string) => ['project', organization, project] as const,
};

const NEWEST = 20;

/** The newest of an organization's projects, which may be many. */
export const newestProjectsQuery = (organizationId: string) =>
  queryOptions({
    queryKey: projectKeys.list(organizationId),
    queryFn: async ({ signal }) =>
      (await call(api.GET('/api/v1/organizations/{organization_id}/projects', { params: { path: { organization_id: organizationId }, query: { limit: NEWEST } }, signal }))).items,
  });

export const projectQuery = (organization: string, project: string) =>
  queryOptions({
    queryKey: projectKeys.bySlug(organization, project),
    queryFn: ({ signal }) => call(api.GET('/api/v1/lookup', { params: { query: { organization, project } }, signal })),
  });

/** The project of an address that may lack one; asks nothing then. */
export const useProjectAt = (organization: string | undefined, project: string | undefined) =>
  useQuery(organization !== undefined && project !== undefined ? projectQuery(organization, project) : { ...projectQuery('', ''), queryFn: skipToken });

/** The newest projects of an organization; asks nothing while it is not known which. */
export const useNewestProjects = (organizationId: string | undefined) =>
  useQuery(organizationId === undefined ? { ...newestProjectsQuery(''), queryFn: skipToken } : newestProjectsQuery(organizationId));

/** The current project; only below the project route, which has loaded it. */
export function useProject(): Project {
  const { org = '', project = '' } = useParams({ strict: false });
  return useSuspenseQuery(projectQuery(org, project)).data;
}
