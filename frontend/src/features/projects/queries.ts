import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { requestsQuery } from '@/api/deployments';
import { allItems, everyPage, paging } from '@/api/paging';
import { projectKeys } from '@/api/projects';
import type { Project, ProjectMember, ProjectRequests } from '@/api/types';

import type { ProjectFilters } from './search';

export type ProjectRole = NonNullable<ProjectMember['project_role']>;

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

/** The projects that the filters leave, page by page. */
export const useProjectSearch = (organizationId: string, { q, state, tag }: ProjectFilters) =>
  useInfiniteQuery({
    queryKey: [...projectKeys.list(organizationId), 'search', q, state, tag],
    queryFn: ({ signal, pageParam }) =>
      call(
        api.GET('/api/v1/organizations/{organization_id}/projects', {
          params: { path: { organization_id: organizationId }, query: { ...(q ? { q } : {}), ...(state ? { state } : {}), ...(tag ? { tag } : {}), ...pageParam } },
          signal,
        }),
      ),
    ...paging,
    select: allItems,
    placeholderData: keepPreviousData,
  });

const AT_ONCE = 200;

/** Requests of the last day of the projects shown: one call for all of them. Who had none has none, once they are known. */
export function useRequestsByProject(organizationId: string, projectIds: readonly string[]) {
  const shown = projectIds.slice(0, AT_ONCE);
  const { data, isError } = useQuery({
    queryKey: ['requests-by-project', organizationId, shown],
    queryFn: ({ signal }) =>
      call(
        api.GET('/api/v1/organizations/{organization_id}/monitoring/projects', {
          params: { path: { organization_id: organizationId }, query: { project_id: [...shown] } },
          signal,
        }),
      ),
    enabled: shown.length > 0,
    placeholderData: keepPreviousData,
  });
  const of = (projectId: string): ProjectRequests | undefined => data && (data.items.find((it) => it.project_id === projectId) ?? { project_id: projectId, requests: 0, errors: 0 });
  return { isError, of };
}

/** After a change: lists, the project's own pages, and what its members see. */
function useRefreshProjects() {
  const client = useQueryClient();
  return () => Promise.all([['projects'], projectKeys.each, ['project-members']].map((queryKey) => client.invalidateQueries({ queryKey })));
}

export function useRestoreProject() {
  const onSuccess = useRefreshProjects();
  return useMutation({
    mutationFn: (id: string) => call(api.POST('/api/v1/projects/{project_id}/restore', { params: { path: { project_id: id } } })),
    onSuccess,
  });
}

const inProject = (projectId: string) => ({ params: { path: { project_id: projectId } } });

export function useUpdateProject(projectId: string) {
  const onSuccess = useRefreshProjects();
  return useMutation({
    mutationFn: (body: { name?: string; description?: string; tags?: string[] }) => call(api.PATCH('/api/v1/projects/{project_id}', { ...inProject(projectId), body })),
    onSuccess,
  });
}

export function useSetVisibility(projectId: string) {
  const onSuccess = useRefreshProjects();
  return useMutation({
    mutationFn: (visibility: Project['visibility']) => call(api.PUT('/api/v1/projects/{project_id}/visibility', { ...inProject(projectId), body: { visibility } })),
    onSuccess,
  });
}

export function useArchiving(projectId: string) {
  const onSuccess = useRefreshProjects();
  return useMutation({
    mutationFn: (archive: boolean) =>
      archive ? call(api.POST('/api/v1/projects/{project_id}/archive', inProject(projectId))) : call(api.POST('/api/v1/projects/{project_id}/unarchive', inProject(projectId))),
    onSuccess,
  });
}

export const deleteProject = (projectId: string) => call(api.DELETE('/api/v1/projects/{project_id}', inProject(projectId)));

export function useForgetProject() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['projects'] });
}

export const useProjectMembers = (projectId: string) =>
  useInfiniteQuery({
    queryKey: ['project-members', projectId],
    queryFn: ({ signal, pageParam }) => call(api.GET('/api/v1/projects/{project_id}/members', { params: { path: { project_id: projectId }, query: pageParam }, signal })),
    ...paging,
    select: allItems,
  });

/** Gives a role in this project, or takes it back: the one in the organization holds then. */
export function useSetProjectRole(projectId: string) {
  const onSuccess = useRefreshProjects();
  return useMutation({
    mutationFn: async ({ userId, role }: { userId: string; role: ProjectRole | null }) => {
      const of = { params: { path: { project_id: projectId, user_id: userId } } };
      await (role ? call(api.PUT('/api/v1/projects/{project_id}/members/{user_id}', { ...of, body: { role } })) : call(api.DELETE('/api/v1/projects/{project_id}/members/{user_id}', of)));
    },
    onSuccess,
  });
}

/** People of the organization who might get a role in the project. */
export const useCandidates = (organizationId: string, q: string) =>
  useQuery({
    queryKey: ['members', organizationId, 'candidates', q],
    queryFn: async ({ signal }) =>
      (await call(api.GET('/api/v1/organizations/{organization_id}/members', { params: { path: { organization_id: organizationId }, query: { q, limit: 20 } }, signal }))).items,
    placeholderData: keepPreviousData,
  });
