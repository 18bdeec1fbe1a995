/** Numbers, sizes, durations and times as people read them. */

const counts = new Intl.NumberFormat('en-US');
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 2 });
const moments = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const clocks = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export const formatCount = (value: number): string => counts.format(value);

/** 12_345 → "12.3K". */
export const formatCompact = (value: number): string => compact.format(value);

/** 0.0312 → "3.12%". */
export const formatShare = (value: number): string => percents.format(value);

/** Decimal units, as file managers and disks count: 1_500 → "1.5 kB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${rounded(bytes / 1000 ** power)} ${units[power]}`;
}

/** 420 → "420 µs", 1_830 → "1.83 ms", 2_500_000 → "2.5 s"; "–" where nothing was measured. */
export function formatMicroseconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 1000) return `${rounded(value)} µs`;
  if (value < 1_000_000) return `${rounded(value / 1000)} ms`;
  return `${rounded(value / 1_000_000)} s`;
}

/** "2 minutes ago", "in 3 months"; `now` is a parameter so that a ticking clock and a test can both give it. */
export function formatRelative(time: string | Date, now: Date = new Date()): string {
  const seconds = (new Date(time).getTime() - now.getTime()) / 1000;
  const distance = Math.abs(seconds);
  // A clock that is a little behind the server's makes no future of what has just happened.
  if (distance < 45) return seconds < 10 ? 'just now' : 'in less than a minute';
  const [unit, size] = UNITS.find(([, , below]) => distance < below) ?? YEAR;
  return relative.format(Math.round(seconds / size), unit);
}

const YEAR = ['year', 31_557_600, Infinity] as const satisfies Step;
const UNITS: readonly Step[] = [
  ['minute', 60, 45 * 60],
  ['hour', 3600, 22 * 3600],
  ['day', 86_400, 26 * 86_400],
  ['month', 2_629_800, 320 * 86_400],
];
type Step = readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number, below: number];

/** "22 Nov 2026, 14:02:31", in the reader's time zone. */
export const formatMoment = (time: string | Date): string => moments.format(new Date(time));

/** "14:02", in the reader's time zone. */
export const formatClock = (time: string | Date): string => clocks.format(new Date(time));

/** "22 Nov", in UTC, which is how days are counted. */
export const formatDay = (time: string | Date): string => days.format(new Date(time));

/** "1 model", "3 models". */
export const plural = (count: number, one: string, many = `${one}s`): string => `${formatCount(count)} ${count === 1 ? one : many}`;

/** Three significant digits at most, no trailing zeros. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(value >= 100 ? Math.ceil(Math.log10(value + 1)) : 3)));
}
