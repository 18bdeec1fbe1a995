import type { ReactNode } from 'react';

import type { DeploymentState } from '@/api/types';
import { classes } from '@/lib/classes';

export type Tone = 'ok' | 'info' | 'warn' | 'danger' | 'neutral';

const TONES: Record<Tone, string> = {
  ok: 'bg-ok-soft text-ok',
  info: 'bg-info-soft text-info',
  warn: 'bg-warn-soft text-warn',
  danger: 'bg-danger-soft text-danger',
  neutral: 'bg-sunken text-muted',
};

/** State is never colour alone: each tone has its own shape, and the word is always there. */
const SHAPES: Record<Tone, ReactNode> = {
  ok: <circle cx="5" cy="5" r="4" fill="currentColor" />,
  info: (
    <>
      <circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" />
      <path d="M5 1.500a3.500 3.500 0 0 0 0 7z" fill="currentColor" />
    </>
  ),
  warn: <path d="M5 1 9.500 9h-9z" fill="currentColor" />,
  danger: <path d="m2 2 6 6m0-6-6 6" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />,
  neutral: <rect x="1.500" y="1.500" width="7" height="7" rx="1" fill="currentColor" />,
};

export function StatusPill({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string | undefined }) {
  return (
    <span title={title} className={classes('inline-flex h-5.5 items-center gap-1.5 rounded-full px-2 text-caption font-medium whitespace-nowrap', TONES[tone])}>
      <svg viewBox="0 0 10 10" aria-hidden className="size-2.5">
        {SHAPES[tone]}
      </svg>
      {children}
    </span>
  );
}

const STATES: Record<DeploymentState, readonly [Tone, string]> = {
  pending: ['neutral', 'Pending'],
  starting: ['info', 'Starting'],
  ready: ['ok', 'Ready'],
  degraded: ['warn', 'Degraded'],
  failed: ['danger', 'Failed'],
  unavailable: ['danger', 'Unavailable'],
  unknown: ['neutral', 'Unknown'],
};

export function DeploymentPill({ state, reason }: { state: DeploymentState; reason?: string | undefined }) {
  const [tone, word] = STATES[state];
  return (
    <StatusPill tone={tone} title={reason}>
      {word}
    </StatusPill>
  );
}
