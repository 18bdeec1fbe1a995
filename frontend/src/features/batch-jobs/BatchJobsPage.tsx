import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FileStack, Plus } from 'lucide-react';
import { useState } from 'react';

import { useRefusal } from '@/api/permissions';
import { useProject } from '@/api/projects';
import type { BatchJob } from '@/api/types';
import { formatCount } from '@/lib/format';
import { useFileDrop } from '@/lib/useFileDrop';
import { Empty } from '@/ui/Empty';
import { GuardedButton } from '@/ui/Guarded';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { Table, Td, Th, Tr } from '@/ui/Table';
import { toast } from '@/ui/toast';

import { BatchJobPill } from './BatchJobPill';
import { NewJobDialog } from './NewJobDialog';
import { ProgressBar } from './ProgressBar';
import { batchJobsQuery } from './queries';

/** Whole files predicted in the background. */
export function BatchJobsPage() {
  const project = useProject();
  const jobs = useInfiniteQuery(batchJobsQuery(project.id));
  const [isOpen, setIsOpen] = useState(false);
  const [files, setFiles] = useState<readonly File[]>([]);
  const open = (chosen: readonly File[]) => {
    setFiles(chosen);
    setIsOpen(true);
  };
  const refusal = useRefusal('predictions:make');
  useFileDrop((dropped) => (refusal === undefined ? open(dropped) : toast.error(refusal)));
  const button = (
    <GuardedButton needs="predictions:make" variant="primary" icon={<Plus aria-hidden />} onClick={() => open([])}>
      New batch job
    </GuardedButton>
  );
  return (
    <>
      <PageHeader title="Batch jobs" context={project.name} actions={jobs.data?.length ? button : undefined}>
        Every row of a file predicted in the background, at a lower priority than the calls of applications.
      </PageHeader>
      <Loaded query={jobs}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<FileStack aria-hidden />} title="No batch jobs yet" action={button} command="headrace batch fraud rows.csv">
              Drop a CSV, JSON lines or Parquet file here. Its rows come back with the model’s answers beside them.
            </Empty>
          ) : (
            <>
              <JobTable jobs={items} />
              <LoadMore query={jobs} of="batch job" />
            </>
          )
        }
      </Loaded>
      <NewJobDialog open={isOpen} onOpenChange={setIsOpen} files={files} onFiles={setFiles} />
    </>
  );
}

const JobTable = ({ jobs }: { jobs: readonly BatchJob[] }) => (
  <Table
    label="Batch jobs"
    head={
      <>
        <Th>File</Th>
        <Th>State</Th>
        <Th>Progress</Th>
        <Th>Deployment</Th>
        <Th numeric>Rows</Th>
        <Th numeric>Failed</Th>
        <Th numeric>Created</Th>
      </>
    }
  >
    {jobs.map((job) => (
      <JobRow key={job.id} job={job} />
    ))}
  </Table>
);

function JobRow({ job }: { job: BatchJob }) {
  const project = useProject();
  const words = `${formatCount(job.rows_done + job.rows_failed)} of ${formatCount(job.rows_total)} rows`;
  return (
    <Tr>
      <Td className="max-w-40 sm:max-w-60">
        <Link
          to="/o/$org/p/$project/batch-jobs/$job"
          params={{ org: project.organization_slug, project: project.slug, job: job.id }}
          className="link block truncate font-medium"
          title={job.input.file_name}
        >
          {job.input.file_name}
        </Link>
      </Td>
      <Td>
        <BatchJobPill job={job} />
      </Td>
      <Td className="min-w-32">
        <ProgressBar job={job} words={words} />
      </Td>
      <Td className="whitespace-nowrap">{job.deployment_name}</Td>
      <Td numeric>{formatCount(job.rows_total)}</Td>
      <Td numeric className={job.rows_failed > 0 ? 'text-danger' : 'text-subtle'}>
        {formatCount(job.rows_failed)}
      </Td>
      <Td numeric className="text-muted">
        <RelativeTime time={job.created_at} />
      </Td>
    </Tr>
  );
}
