/** The request summary as chart series: every minute of the range, whether requests came in it or not. */
import type { ChartData, Series } from '@/charts/series';
import type { RequestPoint, RequestSummary } from '@/api/types';

/** Requests and errors for each step of the range; a step without requests counts zero. */
export function countSeries(summary: RequestSummary): ChartData {
  const { times, points } = everyStep(summary);
  const count = (read: (point: RequestPoint) => number) => points.map((point) => (point ? read(point) : 0));
  return {
    at: times,
    series: [
      { label: 'Requests', kind: 'bars', color: '--series-1', values: count((it) => it.requests) },
      { label: 'Errors', kind: 'bars', color: '--danger', values: count((it) => it.errors) },
    ],
  };
}

/** Latency percentiles in µs; a step without requests has none. */
export function latencySeries(summary: RequestSummary): ChartData {
  const { times, points } = everyStep(summary);
  const line = (label: string, color: Series['color'], read: (point: RequestPoint) => number): Series => ({ label, color, values: points.map((point) => (point ? read(point) : null)) });
  return {
    at: times,
    series: [line('p50', '--series-1', (it) => it.p50_us), line('p95', '--series-2', (it) => it.p95_us), line('p99', '--series-4', (it) => it.p99_us)],
  };
}

function everyStep({ from, to, step_s: step, points }: RequestSummary): { times: number[]; points: (RequestPoint | undefined)[] } {
  const at = (time: string) => new Date(time).getTime() / 1000 / step;
  const byStep = new Map(points.map((point) => [Math.floor(at(point.time)), point]));
  const first = Math.floor(at(from));
  // The end itself is no part of the range.
  const steps = Array.from({ length: Math.max(0, Math.ceil(at(to)) - first) }, (_, index) => first + index);
  return { times: steps.map((it) => it * step), points: steps.map((it) => byStep.get(it)) };
}
