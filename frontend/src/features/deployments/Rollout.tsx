import { Check, LoaderCircle } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Deployment, DeploymentState } from '@/api/types';
import { classes } from '@/lib/classes';

const STEPS = [
  { name: 'Published', note: 'The revision is announced to the workers' },
  { name: 'Loading', note: 'A worker fetches the model, loads it and warms it up' },
  { name: 'Serving', note: 'Requests are answered' },
] as const;

/** The step under way in the states that lead to ready. */
const UNDER_WAY: Partial<Record<DeploymentState, number>> = { pending: 0, starting: 1 };

const TROUBLE: Partial<Record<DeploymentState, { title: string; tone: string }>> = {
  degraded: { title: 'This deployment answers, but not as it should', tone: 'bg-warn-soft text-warn' },
  failed: { title: 'This deployment could not start', tone: 'bg-danger-soft text-danger' },
  unknown: { title: 'The state of this deployment is not known', tone: 'bg-warn-soft text-warn' },
  unavailable: { title: 'No worker is serving this deployment', tone: 'bg-danger-soft text-danger' },
};

/** Where a new revision is on its way to ready, or why it did not get there; nothing when all is well. */
export function Rollout({ deployment: { state, state_reason: reason, revision } }: { deployment: Deployment }) {
  const current = UNDER_WAY[state];
  const trouble = TROUBLE[state];
  return (
    <div role="status">
      {state === 'ready' && <span className="sr-only">Ready</span>}
      {current !== undefined && <Steps current={current} heading={`Revision ${revision.number} is on its way`} reason={reason} />}
      {trouble && (
        <div className={classes('mb-6 flex flex-col gap-0.5 rounded-card px-4 py-3 text-body', trouble.tone)}>
          <p className="font-medium">{trouble.title}</p>
          {reason && <p className="break-words">{reason}</p>}
        </div>
      )}
    </div>
  );
}

const Steps = ({ current, heading, reason }: { current: number; heading: string; reason: string }) => (
  <section className="mb-6 flex flex-col gap-4 rounded-card border border-border bg-surface p-4">
    <header className="flex flex-wrap items-baseline justify-between gap-x-4">
      <h2 className="text-label">{heading}</h2>
      {reason && <p className="text-caption text-muted">{reason}</p>}
    </header>
    <ol className="grid gap-3 sm:grid-cols-3">
      {STEPS.map(({ name, note }, index) => (
        <li key={name} aria-current={index === current ? 'step' : undefined} className={classes('flex gap-2.5', index > current && 'text-subtle')}>
          <span className="mt-0.5 grid size-4 shrink-0 place-items-center">{markOf(index, current)}</span>
          <span className="flex flex-col">
            <span className="text-label">{name}</span>
            <span className="text-caption text-subtle">{note}</span>
          </span>
        </li>
      ))}
    </ol>
  </section>
);

function markOf(index: number, current: number): ReactNode {
  if (index < current) return <Check aria-label="done" className="size-4 text-ok" />;
  if (index === current) return <LoaderCircle aria-label="under way" className="size-4 animate-spin text-accent" />;
  return <span aria-hidden className="size-2 rounded-full border border-border-strong" />;
}
