import type { RequestSummary } from '@/api/types';
import { formatCompact } from '@/lib/format';

import { countSeries } from './monitoring/requestSeries';

const WIDTH = 96;
const HEIGHT = 20;

/** The requests of the last hour as a small line, with their number. */
export function Sparkline({ summary }: { summary: RequestSummary }) {
  const values = countSeries(summary).series[0]?.values ?? [];
  const highest = Math.max(1, ...values.map((it) => it ?? 0));
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 1.5 - ((value ?? 0) / highest) * (HEIGHT - 3)).toFixed(1)}`);
  return (
    <span className="inline-flex items-center gap-3">
      <span className="min-w-10 text-right">{formatCompact(summary.totals.requests)}</span>
      <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className="h-5 w-24 overflow-visible">
        <polyline points={points.join(' ')} fill="none" stroke={summary.totals.requests > 0 ? 'var(--series-1)' : 'var(--border)'} strokeWidth="1.5" strokeLinejoin="round" />
      </svg>
    </span>
  );
}
