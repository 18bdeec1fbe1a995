import { expect, test } from 'vitest';

import type { RevisionSettings } from '@/api/types';

import { draftOf, readDraft } from './fields';
import { changesOf, choiceValue, settingsWords } from './words';

const FULL: RevisionSettings = {
  batching: { max_batch_size: 8, max_delay_us: 0, max_queue_rows: 1000, timeout_ms: 5000, padding: { value: -1, buckets: [16, 128] } },
  execution: { mode: 'thread', intra_op_threads: 2 },
  latency_goal_ms: 2.5,
  cache: { ttl_s: 60, max_bytes: 32 << 20 },
  max_concurrency: 64,
};

const NOTHING_SET: RevisionSettings = {
  batching: { max_batch_size: null, max_delay_us: null, max_queue_rows: null, timeout_ms: null, padding: null },
  execution: { mode: null, intra_op_threads: null },
  latency_goal_ms: null,
  cache: null,
  max_concurrency: null,
};

test.each([
  ['everything set', FULL],
  ['nothing set', NOTHING_SET],
])('a form of %s gives the same settings back', (_, settings) => {
  expect(readDraft(draftOf(settings))).toEqual({ ok: true, settings });
});

test('what the API leaves out is not set', () => {
  expect(readDraft(draftOf({}))).toEqual({ ok: true, settings: NOTHING_SET });
});

test('every fault is told at its own field, and what is switched off has none', () => {
  const draft = { ...draftOf({}), max_batch_size: '1.5', max_delay_us: '-1', timeout_ms: 'soon', cache_ttl_s: 'x', padding: 'on' as const, padding_buckets: '16, 0' };
  expect(readDraft(draft)).toEqual({
    ok: false,
    faults: {
      max_batch_size: 'Enter a whole number',
      max_delay_us: 'Enter a number from 0 to 1000000',
      timeout_ms: 'Enter a number',
      padding_buckets: 'Enter a number from 1 to 9007199254740991',
    },
  });
});

test('sizes to pad to may be typed in any order', () => {
  const read = readDraft({ ...draftOf({}), padding: 'on', padding_buckets: '128, 16;64  16' });
  expect(read).toMatchObject({ settings: { batching: { padding: { value: 0, buckets: [16, 64, 128] } } } });
});

test('a review lists what is different, in words', () => {
  expect(changesOf(NOTHING_SET, FULL)).toEqual([
    { label: 'Latency goal', before: 'None', after: '2.5 ms' },
    { label: 'Batch size', before: 'Headrace chooses', after: '8 rows' },
    { label: 'Batch delay', before: 'Headrace chooses', after: '0 µs' },
    { label: 'Queue', before: 'Headrace chooses', after: '1,000 rows' },
    { label: 'Time limit', before: 'Headrace chooses', after: '5 s' },
    { label: 'Padding', before: 'Off', after: 'With -1 to 16, 128' },
    { label: 'Runs happen', before: 'Headrace chooses', after: 'in a thread' },
    { label: 'Threads of a run', before: 'Headrace chooses', after: '2 threads' },
    { label: 'Requests at once', before: 'No limit', after: '64 requests' },
    { label: 'Cache', before: 'Off', after: '60 s, up to 33.6 MB' },
  ]);
  expect(changesOf(FULL, FULL)).toEqual([]);
  expect(settingsWords({})).toBe('Headrace chooses everything');
});

const value = (name: string, text: string) => choiceValue({ name, value: text, reason: '', is_pinned: false });

test("a worker's choice is shown with its unit, and as it came when it is not known", () => {
  expect([value('max_delay_us', '1500'), value('execution', 'inline'), value('max_batch_size', '64'), value('padding', 'off'), value('new_one', '7')]).toEqual([
    '1.5 ms',
    'between requests',
    '64 rows',
    'off',
    '7',
  ]);
});
