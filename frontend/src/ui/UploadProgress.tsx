import { Check, LoaderCircle } from 'lucide-react';

import { formatBytes } from '@/lib/format';
import { classes } from '@/lib/classes';

/** How far the file has got; `checking` when all of it has left. */
export interface Progress {
  sent: number;
  total: number;
  /** When the first byte left, ms since the epoch. */
  startedAt: number;
  now: number;
}

const STEPS = ['Uploading', 'Checking', 'Ready'] as const;
/** A rate over less than this is noise. */
const STEADY_MS = 300;

/** Bytes, rate and the three steps of an upload of `what`: "model". */
export function UploadProgress({ progress, what }: { progress: Progress; what: string }) {
  const { sent, total } = progress;
  const isChecking = sent >= total;
  const percent = total > 0 ? Math.floor((100 * sent) / total) : 100;
  const words = isChecking ? `All bytes received. The server is checking the ${what}.` : `${formatBytes(sent)} of ${formatBytes(total)}${rateOf(progress)}`;
  return (
    <div className="flex flex-col gap-3">
      <ol className="flex gap-5 text-label">
        {STEPS.map((step, index) => (
          <Step key={step} name={step} current={isChecking ? 1 : 0} index={index} />
        ))}
      </ol>
      <div role="progressbar" aria-label="Upload" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={words} className="h-1.5 overflow-hidden rounded-full bg-sunken">
        <div className={classes('h-full rounded-full bg-accent transition-[width] duration-150', isChecking && 'animate-pulse')} style={{ width: `${percent}%` }} />
      </div>
      <p className="text-caption text-muted tabular-nums">{words}</p>
      <p role="status" className="sr-only">
        {isChecking ? `Checking the ${what}` : 'Uploading'}
      </p>
    </div>
  );
}

function Step({ name, index, current }: { name: string; index: number; current: number }) {
  const isNow = index === current;
  return (
    <li aria-current={isNow ? 'step' : undefined} className={classes('flex items-center gap-1.5', isNow ? 'text-text' : 'text-subtle')}>
      {index < current && <Check aria-hidden className="size-4 text-ok" />}
      {isNow && <LoaderCircle aria-hidden className="size-4 animate-spin text-accent" />}
      {index > current && <span aria-hidden className="mx-1 size-2 rounded-full border border-border-strong" />}
      {name}
    </li>
  );
}

function rateOf({ sent, startedAt, now }: Progress): string {
  const elapsed = now - startedAt;
  return elapsed < STEADY_MS ? '' : ` · ${formatBytes((1000 * sent) / elapsed)}/s`;
}
