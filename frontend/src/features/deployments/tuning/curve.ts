/** What a run was measured to cost, as charts: one line a number of threads. */
import type { Axis, ChartData, Series } from '@/charts/series';
import type { CurvePoint } from '@/api/types';
import { formatCount, plural } from '@/lib/format';

export const ROWS: Axis = { name: 'Rows of one run', short: formatCount, full: (rows) => plural(rows, 'row'), isLogarithmic: true };

const COLORS: readonly Series['color'][] = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];

/** Microseconds of one run. */
export const runCurve = (points: readonly CurvePoint[]): ChartData => curve(points, (it) => it.run_us);

/** Rows a second, if one run followed the other. */
export const rateCurve = (points: readonly CurvePoint[]): ChartData => curve(points, rowsPerSecond);

/** The point at which the model takes most rows a second. */
export const fastest = (points: readonly CurvePoint[]): CurvePoint | undefined =>
  points.reduce<CurvePoint | undefined>((best, it) => (best === undefined || rowsPerSecond(it) > rowsPerSecond(best) ? it : best), undefined);

export const rowsPerSecond = ({ rows, run_us: us }: CurvePoint): number => (us > 0 ? (rows * 1_000_000) / us : 0);

function curve(points: readonly CurvePoint[], read: (point: CurvePoint) => number): ChartData {
  const at = sorted(points.map((it) => it.rows));
  const series = sorted(points.map((it) => it.threads)).map((threads, index): Series => {
    const measured = new Map(points.filter((it) => it.threads === threads).map((it) => [it.rows, read(it)]));
    return { label: plural(threads, 'thread'), color: COLORS[index % COLORS.length] ?? '--series-1', hasPoints: true, values: at.map((rows) => measured.get(rows) ?? null) };
  });
  return { at, series };
}

const sorted = (values: readonly number[]): number[] => [...new Set(values)].toSorted((a, b) => a - b);
