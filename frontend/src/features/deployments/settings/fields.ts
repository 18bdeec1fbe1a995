/** What can be set about how a revision is served: the form's fields, and the way from typed text to settings and back. */
import type { RevisionSettings } from '@/api/types';

/** A number that may be left to Headrace, or to having no limit. */
export interface NumberField {
  name: NumberName;
  label: string;
  unit: string;
  hint: string;
  /** What an empty field means. */
  empty: string;
  low: number;
  high: number;
  isWhole: boolean;
}

export type NumberName = 'max_batch_size' | 'max_delay_us' | 'max_queue_rows' | 'timeout_ms' | 'intra_op_threads' | 'latency_goal_ms' | 'max_concurrency';

const CHOSEN = 'Headrace chooses';
const UNLIMITED = 'No limit';

export const NUMBER_FIELDS: Readonly<Record<NumberName, NumberField>> = {
  latency_goal_ms: { name: 'latency_goal_ms', label: 'Latency goal', unit: 'ms', hint: 'Batch size and delay are chosen to stay within it.', empty: 'None', low: 0.001, high: 600_000, isWhole: false },
  max_batch_size: { name: 'max_batch_size', label: 'Batch size', unit: 'rows', hint: 'At most so many rows share a run.', empty: CHOSEN, low: 1, high: 4096, isWhole: true },
  max_delay_us: { name: 'max_delay_us', label: 'Batch delay', unit: 'µs', hint: 'How long a first row waits for company while the model is idle.', empty: CHOSEN, low: 0, high: 1_000_000, isWhole: true },
  max_queue_rows: { name: 'max_queue_rows', label: 'Queue', unit: 'rows', hint: 'When more rows wait, requests are answered 503.', empty: CHOSEN, low: 1, high: 10_000_000, isWhole: true },
  timeout_ms: { name: 'timeout_ms', label: 'Time limit', unit: 'ms', hint: 'A request that waits longer is answered 504.', empty: CHOSEN, low: 1, high: 3_600_000, isWhole: true },
  intra_op_threads: { name: 'intra_op_threads', label: 'Threads of a run', unit: 'threads', hint: 'How many cores work on one run.', empty: CHOSEN, low: 1, high: 64, isWhole: true },
  max_concurrency: { name: 'max_concurrency', label: 'Requests at once', unit: 'requests', hint: 'Further ones are answered 429.', empty: UNLIMITED, low: 1, high: 1_000_000, isWhole: true },
};

/** Everything as it is typed; an empty number is not set. */
export interface Draft extends Record<NumberName, string> {
  mode: '' | 'inline' | 'thread';
  padding: 'off' | 'on';
  padding_value: string;
  /** Sizes, separated by commas. */
  padding_buckets: string;
  cache: 'off' | 'on';
  cache_ttl_s: string;
  cache_mib: string;
}

export type DraftName = keyof Draft;
export type Faults = Partial<Record<DraftName, string>>;
export type Read = { ok: true; settings: RevisionSettings } | { ok: false; faults: Faults };

const MIB = 1 << 20;
const DEFAULT_TTL_S = 60;
const DEFAULT_CACHE_MIB = 64;

const text = (value: number | null | undefined): string => (value === null || value === undefined ? '' : String(value));

/** The form that says the same as `settings`. */
export function draftOf({ batching, execution, latency_goal_ms, max_concurrency, cache }: RevisionSettings): Draft {
  const padding = batching?.padding;
  return {
    latency_goal_ms: text(latency_goal_ms),
    max_batch_size: text(batching?.max_batch_size),
    max_delay_us: text(batching?.max_delay_us),
    max_queue_rows: text(batching?.max_queue_rows),
    timeout_ms: text(batching?.timeout_ms),
    padding: padding ? 'on' : 'off',
    padding_value: text(padding?.value ?? 0),
    padding_buckets: padding?.buckets?.join(', ') ?? '',
    mode: execution?.mode ?? '',
    intra_op_threads: text(execution?.intra_op_threads),
    max_concurrency: text(max_concurrency),
    cache: cache ? 'on' : 'off',
    cache_ttl_s: text(cache?.ttl_s ?? DEFAULT_TTL_S),
    cache_mib: text((cache?.max_bytes ?? DEFAULT_CACHE_MIB * MIB) / MIB),
  };
}

/** The settings of a form, or every fault in it. */
export function readDraft(draft: Draft): Read {
  const faults: Faults = {};
  const optional = (name: NumberName): number | null => (draft[name].trim() === '' ? null : number(name, NUMBER_FIELDS[name]));
  const number = (name: DraftName, { low, high, isWhole }: Bounds): number => {
    const fault = faultOf(draft[name], { low, high, isWhole });
    if (fault) faults[name] = fault;
    return Number(draft[name]);
  };
  const settings: RevisionSettings = {
    batching: {
      max_batch_size: optional('max_batch_size'),
      max_delay_us: optional('max_delay_us'),
      max_queue_rows: optional('max_queue_rows'),
      timeout_ms: optional('timeout_ms'),
      padding: draft.padding === 'on' ? { value: number('padding_value', ANY_NUMBER), buckets: readBuckets(draft.padding_buckets, faults) } : null,
    },
    execution: { mode: draft.mode || null, intra_op_threads: optional('intra_op_threads') },
    latency_goal_ms: optional('latency_goal_ms'),
    cache: draft.cache === 'on' ? { ttl_s: number('cache_ttl_s', CACHE_TTL), max_bytes: Math.round(number('cache_mib', CACHE_MIB) * MIB) } : null,
    max_concurrency: optional('max_concurrency'),
  };
  return Object.keys(faults).length > 0 ? { ok: false, faults } : { ok: true, settings };
}

type Bounds = Pick<NumberField, 'low' | 'high' | 'isWhole'>;
const ANY_NUMBER: Bounds = { low: -3.4e38, high: 3.4e38, isWhole: false };
const CACHE_TTL: Bounds = { low: 0.1, high: 604_800, isWhole: false };
const CACHE_MIB: Bounds = { low: 0.001, high: 65_536, isWhole: false };
const BUCKET: Bounds = { low: 1, high: Number.MAX_SAFE_INTEGER, isWhole: true };
const MOST_BUCKETS = 64;

function faultOf(word: string, { low, high, isWhole }: Bounds): string | undefined {
  const value = word.trim() === '' ? Number.NaN : Number(word);
  if (!Number.isFinite(value)) return 'Enter a number';
  if (isWhole && !Number.isInteger(value)) return 'Enter a whole number';
  return value < low || value > high ? `Enter a number from ${low} to ${high}` : undefined;
}

/** Ascending, each once, as the API wants them. */
function readBuckets(words: string, faults: Faults): number[] {
  const sizes = words.split(/[\s,;]+/).filter(Boolean);
  const fault = sizes.length > MOST_BUCKETS ? `Enter at most ${MOST_BUCKETS} sizes` : sizes.map((it) => faultOf(it, BUCKET)).find(Boolean);
  if (fault) faults.padding_buckets = fault;
  return [...new Set(sizes.map(Number))].toSorted((a, b) => a - b);
}
