/** Lines and bars along an axis, as every chart and its table take them. */
import { formatClock, formatDay, formatMoment } from '@/lib/format';

export interface Series {
  label: string;
  /** One value a place on the axis; null where nothing was measured. */
  values: readonly (number | null)[];
  /** A colour of the design language's tokens. */
  color: `--${string}`;
  kind?: 'line' | 'bars';
  /** Every point is a measurement of its own, and is drawn as one. */
  hasPoints?: boolean;
}

export interface ChartData {
  /** Places on the axis, ascending; Unix seconds on `TIME`. */
  at: readonly number[];
  series: readonly Series[];
}

/** What runs from left to right. */
export interface Axis {
  /** Heads its column in the table. */
  name: string;
  /** A place below the chart and in its summary. */
  short: (at: number) => string;
  /** A place in the tooltip and the table. */
  full: (at: number) => string;
  /** The table begins with the last place: the newest. */
  lastFirst?: boolean;
  /** Places are powers of two apart, and so are drawn equally far apart. */
  isLogarithmic?: boolean;
}

const clock = (seconds: number): string => formatClock(new Date(seconds * 1000));

const day = (seconds: number): string => formatDay(new Date(seconds * 1000));

export const TIME: Axis = { name: 'Time', short: clock, full: (seconds) => formatMoment(new Date(seconds * 1000)), lastFirst: true };

/** Whole days of UTC. */
export const DAYS: Axis = { name: 'Day', short: day, full: day, lastFirst: true };

/** What a chart shows, in words: for everyone who does not see it. */
export function summarize(title: string, { at, series }: ChartData, axis: Axis, format: (value: number) => string): string {
  const first = at[0];
  const last = at.at(-1);
  if (first === undefined || last === undefined) return `${title}: no data.`;
  const span = `${axis.short(first)} to ${axis.short(last)}`;
  return `${title}, ${span}. ${series.map((it) => describe(it, at, axis, format)).join(' ')}`;
}

function describe({ label, values }: Series, at: readonly number[], axis: Axis, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `${label}: nothing measured.`;
  const highest = known.reduce((a, b) => Math.max(a, b));
  const lowest = known.reduce((a, b) => Math.min(a, b));
  if (highest === lowest) return `${label}: ${format(highest)} throughout.`;
  const where = at[values.indexOf(highest)];
  return `${label}: ${format(lowest)} to ${format(highest)}, highest at ${where === undefined ? '' : axis.short(where)}, last ${format(known.at(-1) ?? highest)}.`;
}
