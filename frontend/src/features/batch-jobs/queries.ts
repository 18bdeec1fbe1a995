import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { pollUnlessLive } from '@/api/events';
import { allItems, paging } from '@/api/paging';
import { sendFile, type SendOptions } from '@/api/sendFile';
import type { BatchJob } from '@/api/types';

import { isOver, type Sample } from './progress';

const PAGE = 50;
const POLL_MS = 1_000;
const IDLE_MS = 15_000;
/** How far back the rate of a job looks. */
const SAMPLES = 15;

export const batchJobKeys = {
  list: (projectId: string) => ['batch-jobs', projectId, 'list'] as const,
  one: (projectId: string, jobId: string) => ['batch-jobs', projectId, jobId] as const,
};

/** A job, and how far it was at the last times it was asked for. */
export interface WatchedJob {
  job: BatchJob;
  samples: readonly Sample[];
}

const path = (projectId: string, jobId: string) => ({ path: { project_id: projectId, job_id: jobId } });

/** Newest first. */
export const batchJobsQuery = (projectId: string) =>
  infiniteQueryOptions({
    queryKey: batchJobKeys.list(projectId),
    queryFn: ({ pageParam, signal }) =>
      call(api.GET('/api/v1/projects/{project_id}/batch-jobs', { params: { path: { project_id: projectId }, query: { limit: PAGE, ...pageParam } }, signal })),
    ...paging,
    select: allItems,
    refetchInterval: ({ state }) => (state.data?.pages.every(({ items }) => items.every(isOver)) ? IDLE_MS : pollUnlessLive(POLL_MS)),
  });

export const batchJobQuery = (projectId: string, jobId: string) =>
  queryOptions({
    queryKey: batchJobKeys.one(projectId, jobId),
    queryFn: async ({ client, signal }): Promise<WatchedJob> => {
      const job = await call(api.GET('/api/v1/projects/{project_id}/batch-jobs/{job_id}', { params: path(projectId, jobId), signal }));
      const before = client.getQueryData<WatchedJob>(batchJobKeys.one(projectId, jobId));
      const samples = before?.job.state === 'running' ? before.samples.slice(1 - SAMPLES) : [];
      return { job, samples: [...samples, { at: Date.now(), rows: job.rows_done + job.rows_failed }] };
    },
    refetchInterval: ({ state }) => (state.data && isOver(state.data.job) ? false : pollUnlessLive(POLL_MS)),
  });

export const createBatchJob = (projectId: string, deploymentId: string, file: File, options: SendOptions) =>
  sendFile<BatchJob>(`/api/v1/projects/${projectId}/batch-jobs?deployment_id=${deploymentId}&file_name=${encodeURIComponent(file.name)}`, file, options);

export const cancelBatchJob = ({ project_id, id }: BatchJob) =>
  call(api.POST('/api/v1/projects/{project_id}/batch-jobs/{job_id}/cancel', { params: path(project_id, id) }));

export const resumeBatchJob = ({ project_id, id }: BatchJob) =>
  call(api.POST('/api/v1/projects/{project_id}/batch-jobs/{job_id}/resume', { params: path(project_id, id) }));

export const deleteBatchJob = ({ project_id, id }: BatchJob) =>
  call(api.DELETE('/api/v1/projects/{project_id}/batch-jobs/{job_id}', { params: path(project_id, id) }));

/** Lets the browser fetch a file itself, however large. Asking for the job first renews a session that is about to end. */
export async function downloadFile({ project_id, id }: BatchJob, what: 'results' | 'failed-rows'): Promise<void> {
  await call(api.GET('/api/v1/projects/{project_id}/batch-jobs/{job_id}', { params: path(project_id, id) }));
  const link = document.createElement('a');
  link.href = `/api/v1/projects/${project_id}/batch-jobs/${id}/${what}`;
  link.download = '';
  link.click();
}
