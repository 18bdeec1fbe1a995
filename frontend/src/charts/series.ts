/** Lines and bars over time, as every chart and its table take them. */
import { formatClock } from '@/lib/format';

export interface Series {
  label: string;
  /** One value a time; null where nothing was measured. */
  values: readonly (number | null)[];
  /** A colour of the design language's tokens. */
  color: `--${string}`;
  kind?: 'line' | 'bars';
}

export interface TimeSeriesData {
  /** Unix seconds, ascending. */
  times: readonly number[];
  series: readonly Series[];
}

/** What a chart shows, in words: for everyone who does not see it. */
export function summarize(title: string, { times, series }: TimeSeriesData, format: (value: number) => string): string {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined) return `${title}: no data.`;
  const span = `${clock(first)} to ${clock(last)}`;
  return `${title}, ${span}. ${series.map((it) => describe(it, times, format)).join(' ')}`;
}

function describe({ label, values }: Series, times: readonly number[], format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `${label}: nothing measured.`;
  const highest = known.reduce((a, b) => Math.max(a, b));
  const lowest = known.reduce((a, b) => Math.min(a, b));
  if (highest === lowest) return `${label}: ${format(highest)} throughout.`;
  const when = times[values.indexOf(highest)];
  return `${label}: ${format(lowest)} to ${format(highest)}, highest at ${when === undefined ? '' : clock(when)}, last ${format(known.at(-1) ?? highest)}.`;
}

export const clock = (seconds: number): string => formatClock(new Date(seconds * 1000));
