import { Server } from 'lucide-react';

import type { Worker } from '@/api/types';
import { formatBytes, formatCount } from '@/lib/format';
import { Empty } from '@/ui/Empty';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill, type Tone } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

const TONES: Readonly<Record<string, Tone>> = { ready: 'ok', loading: 'info', failed: 'danger' };

/** The processes that serve a deployment, as they report themselves. */
export const Workers = ({ workers }: { workers: readonly Worker[] }) =>
  workers.length === 0 ? (
    <Empty icon={<Server aria-hidden />} title="No worker reports">
      Each gateway worker appears here as soon as it knows of this deployment.
    </Empty>
  ) : (
    <Table
      label="Workers"
      head={
        <>
          <Th>Worker</Th>
          <Th>State</Th>
          <Th numeric>Memory</Th>
          <Th numeric>Queued rows</Th>
          <Th numeric>In flight</Th>
          <Th numeric>Heartbeat</Th>
        </>
      }
    >
      {workers.map((worker) => (
        <WorkerRow key={worker.worker_id} worker={worker} />
      ))}
    </Table>
  );

const WorkerRow = ({ worker: { worker_id: id, state, error, memory_bytes: memory, queued_rows: queued, in_flight: inFlight, heartbeat_at: heartbeat } }: { worker: Worker }) => (
  <Tr>
    <Td>
      <code className="font-mono text-code break-all">{id}</code>
      {error && <p className="mt-0.5 text-caption break-words text-danger">{error}</p>}
    </Td>
    <Td>
      <StatusPill tone={TONES[state] ?? 'neutral'}>{state}</StatusPill>
    </Td>
    <Td numeric>{formatBytes(memory)}</Td>
    <Td numeric>{formatCount(queued)}</Td>
    <Td numeric>{formatCount(inFlight)}</Td>
    <Td numeric className="text-muted">
      <RelativeTime time={heartbeat} />
    </Td>
  </Tr>
);
