import type { BatchJob } from '@/api/types';
import { StatusPill, type Tone } from '@/ui/StatusPill';

const STATES: Record<BatchJob['state'], readonly [Tone, string]> = {
  queued: ['neutral', 'Queued'],
  running: ['info', 'Running'],
  succeeded: ['ok', 'Succeeded'],
  failed: ['danger', 'Failed'],
  cancelled: ['neutral', 'Cancelled'],
};

export function BatchJobPill({ job: { state, reason } }: { job: BatchJob }) {
  const [tone, word] = STATES[state];
  return (
    <StatusPill tone={tone} title={reason || undefined}>
      {word}
    </StatusPill>
  );
}
