/** Deployments, their revisions and what was measured about them. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { api, call, callWithHeaders } from './client';
import { pollUnlessLive } from './events';
import { allItems, everyPage, paging } from './paging';
import type { Deployment, Revision } from './types';

const PAGE = 50;
const UNSETTLED_MS = 1_000;
const SETTLED_MS = 5_000;
const MONITORING_MS = 5_000;

export const deploymentKeys = {
  all: (projectId: string) => ['deployments', projectId] as const,
  list: (projectId: string) => ['deployments', projectId, 'list'] as const,
  every: (projectId: string) => ['deployments', projectId, 'every'] as const,
  one: (projectId: string, deploymentId: string) => ['deployments', projectId, deploymentId] as const,
  revisions: (projectId: string, deploymentId: string) => ['deployments', projectId, deploymentId, 'revisions'] as const,
  requests: (projectId: string, deploymentId: string, minutes: number) => ['deployments', projectId, deploymentId, 'requests', minutes] as const,
  recent: (projectId: string, deploymentId: string) => ['deployments', projectId, deploymentId, 'recent'] as const,
};

/** False while workers are still taking the revision up: its state changes within seconds. */
export const isSettled = ({ state }: Deployment): boolean => state !== 'pending' && state !== 'starting';

/** How long until the state is worth asking for again, ms. */
export const pollInterval = (deployments: readonly Deployment[]): number => (deployments.every(isSettled) ? SETTLED_MS : UNSETTLED_MS);

export const deploymentsQuery = (projectId: string) =>
  infiniteQueryOptions({
    queryKey: deploymentKeys.list(projectId),
    queryFn: ({ pageParam, signal }) =>
      call(api.GET('/api/v1/projects/{project_id}/deployments', { params: { path: { project_id: projectId }, query: { limit: PAGE, ...pageParam } }, signal })),
    ...paging,
    select: allItems,
    refetchInterval: ({ state }) => pollUnlessLive(pollInterval(state.data?.pages.flatMap((page) => page.items) ?? [])),
  });

/** All of a project's, to choose one. */
export const everyDeploymentQuery = (projectId: string) =>
  queryOptions({
    queryKey: deploymentKeys.every(projectId),
    queryFn: ({ signal }) =>
      everyPage((query) => call(api.GET('/api/v1/projects/{project_id}/deployments', { params: { path: { project_id: projectId }, query }, signal }))),
  });

export const deploymentQuery = (projectId: string, deploymentId: string) =>
  queryOptions({
    queryKey: deploymentKeys.one(projectId, deploymentId),
    queryFn: ({ signal }) =>
      call(
        api.GET('/api/v1/projects/{project_id}/deployments/{deployment_id}', { params: { path: { project_id: projectId, deployment_id: deploymentId } }, signal }),
      ),
    // Its workers' queues are shown, of which no event tells.
    refetchInterval: ({ state }) => Math.min(SETTLED_MS, pollUnlessLive(pollInterval(state.data ? [state.data] : []))),
  });

/** Newest first. */
export const revisionsQuery = (projectId: string, deploymentId: string) =>
  infiniteQueryOptions({
    queryKey: deploymentKeys.revisions(projectId, deploymentId),
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET('/api/v1/projects/{project_id}/deployments/{deployment_id}/revisions', {
          params: { path: { project_id: projectId, deployment_id: deploymentId }, query: { limit: PAGE, ...pageParam } },
          signal,
        }),
      ),
    ...paging,
    select: allItems,
  });

/** The requests of the last `minutes`, up to the moment of asking. */
export const requestsQuery = (projectId: string, deploymentId: string, minutes: number) =>
  queryOptions({
    queryKey: deploymentKeys.requests(projectId, deploymentId, minutes),
    queryFn: ({ signal }) => {
      const to = Date.now();
      const query = { from: new Date(to - minutes * 60_000).toISOString(), to: new Date(to).toISOString() };
      return call(
        api.GET('/api/v1/projects/{project_id}/deployments/{deployment_id}/monitoring/requests', {
          params: { path: { project_id: projectId, deployment_id: deploymentId }, query },
          signal,
        }),
      );
    },
    staleTime: MONITORING_MS,
    refetchInterval: MONITORING_MS,
  });

export const recentRequestsQuery = (projectId: string, deploymentId: string) =>
  queryOptions({
    queryKey: deploymentKeys.recent(projectId, deploymentId),
    queryFn: ({ signal }) =>
      call(
        api.GET('/api/v1/projects/{project_id}/deployments/{deployment_id}/monitoring/recent', {
          params: { path: { project_id: projectId, deployment_id: deploymentId }, query: { limit: PAGE } },
          signal,
        }),
      ),
    staleTime: MONITORING_MS,
    refetchInterval: MONITORING_MS,
  });

export const createDeployment = (projectId: string, name: string, versionId: string) =>
  call(
    api.POST('/api/v1/projects/{project_id}/deployments', { params: { path: { project_id: projectId } }, body: { name, model_version_id: versionId } }),
  );

export interface RevisionChange {
  model_version_id: string;
  /** Absent, the settings stay as they are. */
  settings?: Revision['settings'];
}

/** Makes a new revision; the one before answers until it is ready. */
export const updateDeployment = (projectId: string, deploymentId: string, change: RevisionChange) =>
  call(
    api.PATCH('/api/v1/projects/{project_id}/deployments/{deployment_id}', { params: { path: { project_id: projectId, deployment_id: deploymentId } }, body: change }),
  );

export interface TrialAnswer {
  body: unknown;
  /** Where the gateway's time went, in the words of its `Server-Timing` header; empty if it did not say. */
  serverTiming: string;
  /** Whether the gateway's cache had the answer; empty where the deployment has none. */
  cache: string;
}

/** Sends an inference request as it is written; `body` is JSON text of the Open Inference Protocol. */
export async function tryDeployment(projectId: string, deploymentId: string, body: string): Promise<TrialAnswer> {
  const { data, headers } = await callWithHeaders(
    api.POST('/api/v1/projects/{project_id}/deployments/{deployment_id}/infer', {
      params: { path: { project_id: projectId, deployment_id: deploymentId } },
      body: {},
      bodySerializer: () => body,
    }),
  );
  return { body: data, serverTiming: headers.get('Server-Timing') ?? '', cache: headers.get('X-Headrace-Cache') ?? '' };
}

export const deleteDeployment = (projectId: string, deploymentId: string) =>
  call(
    api.DELETE('/api/v1/projects/{project_id}/deployments/{deployment_id}', { params: { path: { project_id: projectId, deployment_id: deploymentId } } }),
  );
