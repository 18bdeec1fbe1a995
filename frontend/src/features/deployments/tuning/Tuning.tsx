import { Gauge, Pin } from 'lucide-react';
import { useMemo, useState } from 'react';

import type { Choice, CurvePoint, Deployment, Tuning as Measured } from '@/api/types';
import { Chart } from '@/charts/Chart';
import { formatCompact, formatMicroseconds, plural } from '@/lib/format';
import { Card } from '@/ui/Card';
import { Empty } from '@/ui/Empty';
import { Select } from '@/ui/Field';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { choiceLabel, choiceValue } from '../settings/words';
import { fastest, rateCurve, ROWS, rowsPerSecond, runCurve } from './curve';

/** What a worker measured when it loaded the revision, and how it serves because of it. */
export function Tuning({ deployment: { state, workers } }: { deployment: Deployment }) {
  const [workerId, setWorkerId] = useState<string | null>(null);
  const measured = workers.flatMap(({ worker_id: id, tuning }) => (tuning ? [{ id, tuning }] : []));
  const shown = measured.find((it) => it.id === workerId) ?? measured[0];
  if (!shown) return <NotMeasured isStarting={state === 'pending' || state === 'starting'} />;
  return (
    <>
      {measured.length > 1 && (
        <label className="flex max-w-120 flex-col gap-1.5 text-label">
          As measured by worker
          <Select value={shown.id} onChange={(event) => setWorkerId(event.target.value)}>
            {measured.map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </Select>
        </label>
      )}
      <Choices choices={shown.tuning.choices} />
      {shown.tuning.points.length > 0 && <Curves tuning={shown.tuning} />}
    </>
  );
}

const NotMeasured = ({ isStarting }: { isStarting: boolean }) => (
  <Empty icon={<Gauge aria-hidden />} title={isStarting ? 'Not measured yet' : 'No worker tells how it serves this revision'}>
    A worker that loads a revision measures what runs of it cost, and chooses what is not pinned below.
  </Empty>
);

function Curves({ tuning: { points, measured_at: at, took_s: took } }: { tuning: Measured }) {
  const runs = useMemo(() => runCurve(points), [points]);
  const rates = useMemo(() => rateCurve(points), [points]);
  return (
    <Card title="What a run costs">
      <div className="flex flex-col gap-6">
        <p className="text-body text-muted">
          {fastestWords(points)} Measured <RelativeTime time={new Date(at * 1000).toISOString()} /> in {formatMicroseconds(took * 1_000_000)}.
        </p>
        <div className="grid gap-8 xl:grid-cols-2">
          <Chart title="Time of a run" data={runs} axis={ROWS} format={formatMicroseconds} group="tuning" isLogarithmic />
          <Chart title="Rows a second" data={rates} axis={ROWS} format={formatCompact} group="tuning" />
        </div>
      </div>
    </Card>
  );
}

function fastestWords(points: readonly CurvePoint[]): string {
  const best = fastest(points);
  return best ? `The model takes most, ${formatCompact(rowsPerSecond(best))} rows a second, in runs of ${plural(best.rows, 'row')} with ${plural(best.threads, 'thread')}.` : '';
}

const Choices = ({ choices }: { choices: readonly Choice[] }) => (
  <Table
    label="How it is served"
    head={
      <>
        <Th>Setting</Th>
        <Th>Serves with</Th>
        <Th>Chosen by</Th>
        <Th>Because</Th>
      </>
    }
  >
    {choices.map((it) => (
      <Tr key={it.name}>
        <Td className="font-medium whitespace-nowrap">{choiceLabel(it.name)}</Td>
        <Td className="whitespace-nowrap tabular-nums">{choiceValue(it)}</Td>
        <Td>{it.is_pinned ? <PinnedMark /> : <StatusPill tone="ok">Headrace</StatusPill>}</Td>
        <Td className="min-w-52 text-muted">{it.reason}</Td>
      </Tr>
    ))}
  </Table>
);

const PinnedMark = () => (
  <span className="inline-flex h-5.5 items-center gap-1.5 rounded-full bg-info-soft px-2 text-caption font-medium whitespace-nowrap text-info">
    <Pin aria-hidden className="size-3" />
    Pinned
  </span>
);
