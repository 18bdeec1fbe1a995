import type { BatchJob } from '@/api/types';
import { classes } from '@/lib/classes';

import { shareOf } from './progress';

/** How far a job is: the failed rows in their own colour at the end of the bar. */
export function ProgressBar({ job, words }: { job: BatchJob; words: string }) {
  const share = shareOf(job);
  const dealtWith = job.rows_done + job.rows_failed;
  const failed = dealtWith === 0 ? 0 : (share * job.rows_failed) / dealtWith;
  return (
    <div
      role="progressbar"
      aria-label={`Progress of ${job.input.file_name}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(share * 100)}
      aria-valuetext={words}
      className="flex h-1.5 overflow-hidden rounded-full bg-sunken"
    >
      <div className={classes('h-full transition-[width] duration-300', job.state === 'succeeded' ? 'bg-ok' : 'bg-accent')} style={{ width: `${(share - failed) * 100}%` }} />
      <div className="h-full bg-danger transition-[width] duration-300" style={{ width: `${failed * 100}%` }} />
    </div>
  );
}
