/** Models and their versions. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { api, call } from './client';
import { allItems, paging } from './paging';

const PAGE = 50;

export const modelKeys = {
  all: (projectId: string) => ['models', projectId] as const,
  list: (projectId: string) => ['models', projectId, 'list'] as const,
  one: (projectId: string, modelId: string) => ['models', projectId, modelId] as const,
  versions: (projectId: string, modelId: string) => ['models', projectId, modelId, 'versions'] as const,
};

export const modelsQuery = (projectId: string) =>
  infiniteQueryOptions({
    queryKey: modelKeys.list(projectId),
    queryFn: ({ pageParam, signal }) =>
      call(api.GET('/api/v1/projects/{project_id}/models', { params: { path: { project_id: projectId }, query: { limit: PAGE, ...pageParam } }, signal })),
    ...paging,
    select: allItems,
  });

export const modelQuery = (projectId: string, modelId: string) =>
  queryOptions({
    queryKey: modelKeys.one(projectId, modelId),
    queryFn: ({ signal }) => call(api.GET('/api/v1/projects/{project_id}/models/{model_id}', { params: { path: { project_id: projectId, model_id: modelId } }, signal })),
  });

/** Newest first. */
export const versionsQuery = (projectId: string, modelId: string) =>
  infiniteQueryOptions({
    queryKey: modelKeys.versions(projectId, modelId),
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET('/api/v1/projects/{project_id}/models/{model_id}/versions', {
          params: { path: { project_id: projectId, model_id: modelId }, query: { limit: PAGE, ...pageParam } },
          signal,
        }),
      ),
    ...paging,
    select: allItems,
  });

export const createModel = (projectId: string, name: string) =>
  call(api.POST('/api/v1/projects/{project_id}/models', { params: { path: { project_id: projectId } }, body: { name } }));

export const deleteModel = (projectId: string, modelId: string) =>
  call(api.DELETE('/api/v1/projects/{project_id}/models/{model_id}', { params: { path: { project_id: projectId, model_id: modelId } } }));
