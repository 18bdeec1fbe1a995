import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Download, Play, Square, Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { ApiError, messageOf } from '@/api/problem';
import { useProject } from '@/api/projects';
import type { BatchJob } from '@/api/types';
import { formatBytes, formatCount } from '@/lib/format';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { Empty } from '@/ui/Empty';
import { FormProblem } from '@/ui/Field';
import { GuardedButton, GuardedIconButton } from '@/ui/Guarded';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { PageSkeleton } from '@/ui/Skeleton';

import { BatchJobPill } from './BatchJobPill';
import { ProgressBar } from './ProgressBar';
import { canResume, durationWords, isOver, rateOf, timeLeft } from './progress';
import { batchJobKeys, batchJobQuery, cancelBatchJob, deleteBatchJob, downloadFile, resumeBatchJob, type WatchedJob } from './queries';

const route = getRouteApi('/session/o/$org/p/$project/batch-jobs/$job');

/** One job: how far it is, and what came of it. */
export function BatchJobPage() {
  const project = useProject();
  const { job: jobId } = route.useParams();
  const watched = useQuery(batchJobQuery(project.id, jobId));
  if (watched.error instanceof ApiError && watched.error.status === 404) return <NoSuchJob />;
  return (
    <Loaded query={watched} skeleton={<PageSkeleton />}>
      {(it) => <JobView {...it} />}
    </Loaded>
  );
}

function JobView({ job, samples }: WatchedJob) {
  const project = useProject();
  return (
    <div className="flex flex-col gap-6">
      <PageHeader title={job.input.file_name} context={project.name} above={<BackToJobs />} beside={<BatchJobPill job={job} />} actions={<Actions job={job} />}>
        Predicted by {job.deployment_name}: {job.model_name} v{job.model_version}
      </PageHeader>
      {job.reason && (
        <p role="alert" className="rounded-control bg-danger-soft px-3 py-2 text-body break-words text-danger first-letter:uppercase">
          {job.reason}
        </p>
      )}
      <Progress job={job} samples={samples} />
      <Files job={job} />
    </div>
  );
}

function Progress({ job, samples }: WatchedJob) {
  const rate = job.state === 'running' ? rateOf(samples) : null;
  const words = `${formatCount(job.rows_done + job.rows_failed)} of ${formatCount(job.rows_total)} rows`;
  const [happened, at] = lastMoment(job);
  return (
    <Card title="Progress">
      <div className="flex flex-col gap-3">
        <ProgressBar job={job} words={words} />
        <p className="text-body text-muted tabular-nums">{[words, timeLeft(job, rate)].filter(Boolean).join(' · ')}</p>
        <dl className="grid grid-cols-2 gap-4 lg:grid-cols-4">
          <Fact name="With results">{formatCount(job.rows_done)}</Fact>
          <Fact name="Failed">{formatCount(job.rows_failed)}</Fact>
          <Fact name="Rows a second">{paceOf(job, rate)}</Fact>
          <Fact name={happened}>
            <RelativeTime time={at} />
          </Fact>
        </dl>
      </div>
    </Card>
  );
}

/** What happened last, and when. */
function lastMoment({ state, created_at, started_at, finished_at }: BatchJob): readonly [what: string, at: string] {
  if (finished_at) return [state === 'succeeded' ? 'Finished' : 'Stopped', finished_at];
  return started_at ? ['Started', started_at] : ['Created', created_at];
}

/** The rate now, or for a job that has succeeded that of the whole. */
function paceOf({ state, rows_total, started_at, finished_at }: BatchJob, rate: number | null): string {
  if (rate !== null) return formatCount(Math.round(rate));
  if (state !== 'succeeded' || !started_at || !finished_at) return '–';
  const seconds = (Date.parse(finished_at) - Date.parse(started_at)) / 1000;
  return `${formatCount(Math.round(rows_total / Math.max(seconds, 0.001)))} over ${durationWords(seconds)}`;
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div className="flex min-w-0 flex-col gap-0.5">
    <dt className="text-caption text-subtle">{name}</dt>
    <dd className="text-label tabular-nums">{children}</dd>
  </div>
);

function Files({ job }: { job: BatchJob }) {
  const downloading = useMutation({ mutationFn: (what: 'results' | 'failed-rows') => downloadFile(job, what) });
  return (
    <Card title="Files">
      <ul className="flex flex-col gap-3">
        <FileRow what="Input" name={job.input.file_name} bytes={job.input.size_bytes} />
        {job.results && <FileRow what="Results" name={job.results.file_name} bytes={job.results.size_bytes} onDownload={() => downloading.mutate('results')} />}
        {job.failed_rows && <FileRow what="Failed rows" name={job.failed_rows.file_name} bytes={job.failed_rows.size_bytes} onDownload={() => downloading.mutate('failed-rows')} />}
      </ul>
      {!isOver(job) && <p className="mt-3 text-caption text-subtle">Results can be downloaded when the job is done.</p>}
      {canResume(job) && <p className="mt-3 text-caption text-subtle">What was done is kept: resume the job to do the rest.</p>}
      <FormProblem message={downloading.error ? messageOf(downloading.error) : undefined} />
    </Card>
  );
}

const FileRow = ({ what, name, bytes, onDownload }: { what: string; name: string; bytes: number; onDownload?: () => void }) => (
  <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
    <span className="flex min-w-0 flex-col">
      <span className="text-label">{what}</span>
      <span className="truncate text-caption text-subtle" title={name}>
        {name} · {formatBytes(bytes)}
      </span>
    </span>
    {onDownload && (
      <Button icon={<Download aria-hidden />} onClick={onDownload} aria-label={`Download ${what.toLowerCase()}`}>
        Download
      </Button>
    )}
  </li>
);

function Actions({ job }: { job: BatchJob }) {
  const queryClient = useQueryClient();
  const changing = useMutation({
    mutationFn: (change: (job: BatchJob) => Promise<BatchJob>) => change(job),
    onSettled: () => queryClient.invalidateQueries({ queryKey: batchJobKeys.one(job.project_id, job.id) }),
  });
  return (
    <>
      <DeleteJob job={job} />
      {!isOver(job) && (
        <GuardedButton needs="predictions:make" icon={<Square aria-hidden />} busy={changing.isPending} onClick={() => changing.mutate(cancelBatchJob)}>
          Cancel job
        </GuardedButton>
      )}
      {canResume(job) && (
        <GuardedButton needs="predictions:make" variant="primary" icon={<Play aria-hidden />} busy={changing.isPending} onClick={() => changing.mutate(resumeBatchJob)}>
          Resume
        </GuardedButton>
      )}
      <FormProblem message={changing.error ? messageOf(changing.error) : undefined} />
    </>
  );
}

function DeleteJob({ job }: { job: BatchJob }) {
  const [isOpen, setIsOpen] = useState(false);
  const project = useProject();
  const queryClient = useQueryClient();
  const navigate = route.useNavigate();
  const remove = async () => {
    await deleteBatchJob(job);
    await navigate({ to: '/o/$org/p/$project/batch-jobs', params: { org: project.organization_slug, project: project.slug } });
    queryClient.removeQueries({ queryKey: batchJobKeys.one(project.id, job.id) });
    await queryClient.invalidateQueries({ queryKey: batchJobKeys.list(project.id) });
  };
  return (
    <>
      <GuardedIconButton needs="predictions:make" label="Delete job" icon={<Trash2 />} onClick={() => setIsOpen(true)} />
      <ConfirmDialog
        open={isOpen}
        onOpenChange={setIsOpen}
        title={`Delete the job of ${job.input.file_name}?`}
        effect={isOver(job) ? 'Its input and its results go with it. This cannot be undone.' : 'The job stops; its input and what it has done go with it. This cannot be undone.'}
        action="Delete job"
        onConfirm={remove}
      />
    </>
  );
}

function BackToJobs() {
  const project = useProject();
  return (
    <Link to="/o/$org/p/$project/batch-jobs" params={{ org: project.organization_slug, project: project.slug }} className="link">
      Batch jobs
    </Link>
  );
}

const NoSuchJob = () => (
  <div className="flex flex-col gap-6">
    <PageHeader title="Batch job not found" above={<BackToJobs />} />
    <Empty title="This batch job does not exist">It may have been deleted, or the address is mistyped.</Empty>
  </div>
);
