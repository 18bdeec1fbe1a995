import type { RecentRequest } from '@/api/types';
import { formatCount, formatMicroseconds, formatMoment } from '@/lib/format';
import { CopyButton } from '@/ui/CopyButton';
import { StatusPill, type Tone } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

/** Single requests, newest first, with where their time went. */
export const RecentRequests = ({ requests }: { requests: readonly RecentRequest[] }) => (
  <Table
    label="Recent requests"
    head={
      <>
        <Th>Time</Th>
        <Th>Status</Th>
        <Th numeric>Rows</Th>
        <Th numeric>Batch</Th>
        <Th numeric>Total</Th>
        <Th numeric>Queue</Th>
        <Th numeric>Model</Th>
        <Th>Request</Th>
      </>
    }
  >
    {requests.map((it) => (
      <Tr key={it.request_id}>
        <Td className="whitespace-nowrap">{formatMoment(it.time)}</Td>
        <Td>
          <StatusPill tone={toneOf(it.status)}>
            {it.status}
            {it.error_code && ` ${it.error_code}`}
          </StatusPill>
        </Td>
        <Td numeric>{formatCount(it.rows)}</Td>
        <Td numeric>{formatCount(it.batch_rows)}</Td>
        <Td numeric>{formatMicroseconds(it.total_us)}</Td>
        <Td numeric>{formatMicroseconds(it.queue_us)}</Td>
        <Td numeric>{formatMicroseconds(it.infer_us)}</Td>
        <Td className="py-0!">
          <span className="flex items-center gap-1">
            <code className="font-mono text-caption text-muted" title={it.request_id}>
              {it.request_id.slice(0, 8)}…
            </code>
            <CopyButton text={it.request_id} label="Copy request id" />
          </span>
        </Td>
      </Tr>
    ))}
  </Table>
);

function toneOf(status: number): Tone {
  if (status >= 500) return 'danger';
  return status >= 400 ? 'warn' : 'ok';
}
