/** Settings in the words of people: in the list of revisions, in a review of changes, and for what a worker chose. */
import type { Choice, RevisionSettings } from '@/api/types';
import { formatBytes, formatCount, formatMicroseconds, plural } from '@/lib/format';

import { NUMBER_FIELDS, type NumberName } from './fields';

export interface Change {
  label: string;
  before: string;
  after: string;
}

/** What is different between two settings, in the order of the form. */
export function changesOf(before: RevisionSettings, after: RevisionSettings): Change[] {
  const then = new Map(settingLines(after));
  return settingLines(before).flatMap(([label, words]) => {
    const next = then.get(label) ?? words;
    return next === words ? [] : [{ label, before: words, after: next }];
  });
}

type Line = readonly [label: string, words: string];

function settingLines({ batching, execution, latency_goal_ms, cache, max_concurrency }: RevisionSettings): Line[] {
  return [
    numberLine('latency_goal_ms', latency_goal_ms),
    numberLine('max_batch_size', batching?.max_batch_size),
    numberLine('max_delay_us', batching?.max_delay_us),
    numberLine('max_queue_rows', batching?.max_queue_rows),
    numberLine('timeout_ms', batching?.timeout_ms),
    ['Padding', paddingWords(batching?.padding)],
    ['Runs happen', execution?.mode ? MODE_WORDS[execution.mode] : 'Headrace chooses'],
    numberLine('intra_op_threads', execution?.intra_op_threads),
    numberLine('max_concurrency', max_concurrency),
    ['Cache', cacheWords(cache)],
  ];
}

function numberLine(name: NumberName, value: number | null | undefined): Line {
  const { label, empty } = NUMBER_FIELDS[name];
  return [label, value === null || value === undefined ? empty : valueWords(name, value)];
}

export const MODE_WORDS = { inline: 'between requests', thread: 'in a thread' } as const;

const paddingWords = (padding: NonNullable<RevisionSettings['batching']>['padding']): string => {
  if (!padding) return 'Off';
  const sizes = padding.buckets?.length ? padding.buckets.join(', ') : 'the longest of a batch';
  return `With ${padding.value ?? 0} to ${sizes}`;
};

const cacheWords = (cache: RevisionSettings['cache']): string =>
  cache ? `${formatMicroseconds((cache.ttl_s ?? 60) * 1_000_000)}, up to ${formatBytes(cache.max_bytes ?? 64 << 20)}` : 'Off';

function valueWords(name: NumberName, value: number): string {
  if (name === 'max_delay_us') return formatMicroseconds(value);
  if (name === 'timeout_ms' || name === 'latency_goal_ms') return formatMicroseconds(value * 1000);
  const { unit } = NUMBER_FIELDS[name];
  return plural(value, unit.replace(/s$/, ''));
}

/** What a revision pins, in one line. */
export function settingsWords(settings: RevisionSettings): string {
  const pinned = changesOf({}, settings).map(({ label, after }) => `${label.toLowerCase()} ${after}`);
  return pinned.length === 0 ? 'Headrace chooses everything' : pinned.join(', ');
}

const CHOICE_LABELS: Readonly<Record<string, string>> = { execution: 'Runs happen', padding: 'Padding' };

export const choiceLabel = (name: string): string => (isNumberName(name) ? NUMBER_FIELDS[name].label : (CHOICE_LABELS[name] ?? name));

/** A choice's value with its unit; what is not known here stays as it came. */
export function choiceValue({ name, value }: Choice): string {
  const number = Number(value);
  if (isNumberName(name) && value.trim() !== '' && Number.isFinite(number)) return valueWords(name, number);
  if (name === 'execution' && (value === 'inline' || value === 'thread')) return MODE_WORDS[value];
  return Number.isFinite(number) && value.trim() !== '' ? formatCount(number) : value;
}

const isNumberName = (name: string): name is NumberName => name in NUMBER_FIELDS;
