import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { recentRequestsQuery, requestsQuery } from '@/api/deployments';
import type { Deployment, RequestSummary } from '@/api/types';
import { TimeSeries } from '@/charts/TimeSeries';
import { formatClock, formatCompact, formatMicroseconds, plural } from '@/lib/format';
import { Card } from '@/ui/Card';
import { Empty } from '@/ui/Empty';
import { Loaded } from '@/ui/Loaded';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';

import { RANGE_NAMES, RANGES, type RangeName } from '../search';
import { RecentRequests } from './RecentRequests';
import { countSeries, latencySeries } from './requestSeries';

interface RequestsProps {
  deployment: Deployment;
  range: RangeName;
  onRange: (range: RangeName) => void;
}

const RANGE_OPTIONS = RANGE_NAMES.map((range) => ({ value: range, label: range }));

/** What was asked of a deployment and how it did: charts of a time range, then the single requests. */
export function Requests({ deployment, range, onRange }: RequestsProps) {
  const summary = useQuery(requestsQuery(deployment.project_id, deployment.id, RANGES[range]));
  const recent = useQuery(recentRequestsQuery(deployment.project_id, deployment.id));
  return (
    <div className="flex flex-col gap-6">
      <Card title="Traffic" actions={<Segments label="Time range" value={range} options={RANGE_OPTIONS} onChange={onRange} />}>
        <Loaded query={summary} skeleton={<Skeleton className="h-96 w-full" />}>
          {(it) => <Charts summary={it} range={range} />}
        </Loaded>
      </Card>
      <section className="flex flex-col gap-3">
        <h2 className="text-section">Recent requests</h2>
        <Loaded query={recent}>
          {({ items }) => (items.length === 0 ? <Empty title="No requests yet">Each request to this deployment appears here within seconds.</Empty> : <RecentRequests requests={items} />)}
        </Loaded>
      </section>
    </div>
  );
}

function Charts({ summary, range }: { summary: RequestSummary; range: RangeName }) {
  const counts = useMemo(() => countSeries(summary), [summary]);
  const latencies = useMemo(() => latencySeries(summary), [summary]);
  if (summary.totals.requests === 0) {
    return (
      <p className="py-12 text-center text-body text-muted">
        No requests from {formatClock(summary.from)} to {formatClock(summary.to)}. Choose a longer range than {range}, or send one from “Try it”.
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-8">
      {summary.totals.lost > 0 && (
        <p className="text-body text-warn">Up to {plural(summary.totals.lost, 'request')} of this time could not be recorded: the real numbers may be higher.</p>
      )}
      <TimeSeries title={`Requests per ${stepWords(summary.step_s)}`} data={counts} format={formatCompact} group="traffic" />
      <TimeSeries title="Latency" data={latencies} format={formatMicroseconds} group="traffic" />
    </div>
  );
}

function stepWords(seconds: number): string {
  if (seconds === 60) return 'minute';
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
