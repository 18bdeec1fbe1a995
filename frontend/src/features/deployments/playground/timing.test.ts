import { expect, test } from 'vitest';

import { timingOf } from './timing';

test("what the gateway does not count is the network's", () => {
  expect(timingOf('decode;dur=0.020, queue;dur=0.080, infer;desc="run";dur=1.400', 10, false)).toEqual({ totalMs: 10, isFromCache: false, parts: { decode: 0.02, queue: 0.08, infer: 1.4, network: 8.5 } });
});

test('parts that are unknown or no numbers are left out, and no time is below zero', () => {
  expect(timingOf('infer;dur=12, cache, tea;dur=3, queue;dur=soon', 10, false)).toEqual({ totalMs: 10, isFromCache: false, parts: { infer: 12, network: 0 } });
});

test.each(['', ' ', ',;=', 'dur=1'])('nothing told (%j) leaves only the total', (header) => {
  expect(timingOf(header, 10, false)).toEqual({ totalMs: 10, isFromCache: false, parts: {} });
});
