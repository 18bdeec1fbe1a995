import { useConnection } from '@/api/connection';
import type { Liveness } from '@/api/events';
import { classes } from '@/lib/classes';

const STATES = {
  live: { word: 'Live', meaning: 'What others change shows here at once.', colour: 'text-ok' },
  reconnecting: { word: 'Reconnecting', meaning: 'What others change may show late; reconnecting.', colour: 'text-warn' },
  offline: { word: 'Offline', meaning: 'Headrace does not answer; what you see may be out of date.', colour: 'text-danger' },
} as const;

/** Whether the page follows what others do: a disc, a ring or a cross, and from middling widths on the word. */
export function LiveDot({ liveness }: { liveness: Liveness }) {
  const { online } = useConnection();
  if (liveness === null) return null;
  const state = online ? liveness : 'offline';
  const { word, meaning, colour } = STATES[state];
  return (
    <p role="status" title={meaning} className={classes('flex items-center gap-1.5 text-caption', colour)}>
      <svg viewBox="0 0 10 10" aria-hidden className="size-2.5" fill="none" stroke="currentColor" strokeWidth="2">
        {state === 'live' && <circle cx="5" cy="5" r="3" fill="currentColor" />}
        {state === 'reconnecting' && <circle cx="5" cy="5" r="3.5" />}
        {state === 'offline' && <path d="m2 2 6 6m0-6-6 6" strokeLinecap="round" />}
      </svg>
      <span className="max-md:sr-only">{word}</span>
    </p>
  );
}
