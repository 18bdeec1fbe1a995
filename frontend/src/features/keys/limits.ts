/** What a key can be limited to: the form's fields, the way from typed text to limits and back, and limits in plain words. */
import type { KeyLimits } from '@/api/types';
import { formatCount } from '@/lib/format';

export type LimitName = keyof KeyLimits;
/** Everything as it is typed; empty means no limit. */
export type LimitDraft = Record<LimitName, string>;

interface LimitField {
  name: LimitName;
  label: string;
  hint: string;
  high: number;
  isWhole: boolean;
}

export const LIMIT_FIELDS: readonly LimitField[] = [
  { name: 'requests_per_s', label: 'Requests a second', hint: 'On average; further ones are answered 429.', high: 1_000_000, isWhole: false },
  { name: 'burst', label: 'Requests in a burst', hint: 'At once after a pause; empty for what comes in ¼ second.', high: 10_000_000, isWhole: true },
  { name: 'rows_per_s', label: 'Rows a second', hint: 'Of all requests together.', high: 100_000_000, isWhole: false },
  { name: 'requests_per_day', label: 'Requests a day', hint: 'From midnight to midnight, UTC.', high: 1_000_000_000_000, isWhole: true },
  { name: 'max_concurrency', label: 'Requests at once', hint: 'That wait for their answers.', high: 1_000_000, isWhole: true },
];

/** Once a day: what comes more seldom is no rate. */
const LOWEST_RATE = 1 / 86_400;

export const draftOf = (limits: KeyLimits): LimitDraft => {
  const text = (name: LimitName) => String(limits[name] ?? '');
  return { requests_per_s: text('requests_per_s'), burst: text('burst'), rows_per_s: text('rows_per_s'), requests_per_day: text('requests_per_day'), max_concurrency: text('max_concurrency') };
};

export const NO_LIMITS = draftOf({});

/** The limits of a draft without faults. */
export function limitsOf(draft: LimitDraft): Required<KeyLimits> {
  const number = (name: LimitName) => (draft[name].trim() === '' ? null : Number(draft[name]));
  return { requests_per_s: number('requests_per_s'), burst: number('burst'), rows_per_s: number('rows_per_s'), requests_per_day: number('requests_per_day'), max_concurrency: number('max_concurrency') };
}

/** What is wrong with what was typed into one field; undefined if nothing is. */
export function faultOf({ name, high, isWhole }: LimitField, draft: LimitDraft): string | undefined {
  const text = draft[name].trim();
  if (text === '') return undefined;
  const value = Number(text);
  if (Number.isNaN(value)) return 'Type a number, or nothing for no limit.';
  if (isWhole && !Number.isInteger(value)) return 'Type a whole number.';
  if (value < (isWhole ? 1 : LOWEST_RATE)) return isWhole ? 'At least 1, or nothing for no limit.' : 'At least one a day, or nothing for no limit.';
  if (value > high) return `At most ${formatCount(high)}.`;
  if (name === 'burst' && draft.requests_per_s.trim() === '') return 'A burst needs requests a second, at which it comes back.';
  return undefined;
}

/** A key's limits but the daily quota, each in a few words. */
export function wordsOf(limits: KeyLimits): string[] {
  const words: string[] = [];
  if (limits.requests_per_s) words.push(`${rate(limits.requests_per_s)} requests/s${limits.burst ? `, ${formatCount(limits.burst)} in a burst` : ''}`);
  if (limits.rows_per_s) words.push(`${rate(limits.rows_per_s)} rows/s`);
  if (limits.max_concurrency) words.push(`${formatCount(limits.max_concurrency)} at once`);
  return words;
}

const rates = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
const rate = (value: number): string => (value >= 1000 ? formatCount(value) : rates.format(value));
