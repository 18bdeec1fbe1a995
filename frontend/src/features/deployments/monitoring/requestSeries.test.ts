import { expect, test } from 'vitest';

import { summarize, TIME } from '@/charts/series';

import { countSeries, latencySeries } from './requestSeries';

const point = { time: '2026-11-22T14:01:00Z', requests: 12, errors: 2, server_errors: 1, rows: 12, p50_us: 900, p95_us: 1800, p99_us: 2500 };
const { time: _time, ...totals } = point;
const SUMMARY = { from: '2026-11-22T14:00:30Z', to: '2026-11-22T14:03:10Z', step_s: 60, points: [point], totals: { ...totals, lost: 0 } };

test('a minute without requests counts zero and has no latency', () => {
  const minute = Date.parse('2026-11-22T14:00:00Z') / 1000;
  expect(countSeries(SUMMARY)).toMatchObject({
    at: [minute, minute + 60, minute + 120, minute + 180],
    series: [
      { label: 'Requests', values: [0, 12, 0, 0] },
      { label: 'Errors', values: [0, 2, 0, 0] },
    ],
  });
  expect(latencySeries(SUMMARY).series.map((it) => it.values)).toEqual([
    [null, 900, null, null],
    [null, 1800, null, null],
    [null, 2500, null, null],
  ]);
});

test('the summary in words tells range, extremes and the last value', () => {
  const words = summarize('Requests per minute', countSeries(SUMMARY), TIME, String);
  expect(words).toMatch(/^Requests per minute, \d\d:00 to \d\d:03\. Requests: 0 to 12, highest at \d\d:01, last 0\. Errors: 0 to 2, highest at \d\d:01, last 0\.$/);
  expect(summarize('Latency', { at: [], series: [] }, TIME, String)).toBe('Latency: no data.');
});
