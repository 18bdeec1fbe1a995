import { expect, test } from 'vitest';

import { compare, takesTheSame, verdict } from './comparison';
import type { InferOutput } from './protocol';

const output = (name: string, datatype: string, shape: number[], data: InferOutput['data']): InferOutput => ({ name, datatype, shape, data });
const one = (datatype: string, value: InferOutput['data'][number]) => [output('x', datatype, [1], [value])];
const spec = (shape: number[], datatype = 'FP32', name = 'x') => [{ name, datatype, shape }];
const SCORES = output('score', 'FP32', [2, 2], [0.9, 0.1, 0.5, 0.5]);

test('numbers within the tolerance are the same, row by row', () => {
  const other = output('score', 'FP32', [2, 2], [0.90005, 0.1, 0.5, 0.25]);
  expect(compare([SCORES], [other], 1e-4)).toEqual([{ name: 'score', rows: [{ kind: 'same' }, { kind: 'different', count: 1, of: 2, largest: 0.25 }] }]);
  expect(verdict(compare([SCORES], [other], 1e-4))).toBe('Differs in score, at most by 0.25.');
  expect(verdict(compare([SCORES], [other], 0.5))).toBe('The same answer.');
});

test('beyond 1 the tolerance is relative, and whole numbers and words have none', () => {
  expect(verdict(compare(one('FP32', 20_000), one('FP32', 20_001), 1e-4))).toBe('The same answer.');
  expect(verdict(compare(one('INT64', 20_000), one('INT64', 20_001), 1e-4))).toBe('Differs in x, at most by 1.');
  expect(verdict(compare(one('BYTES', 'car'), one('BYTES', 'cat'), 1))).toBe('Differs in x.');
});

test('not a number is the same as not a number, and different from any number', () => {
  expect(verdict(compare(one('FP32', null), one('FP32', null), 0))).toBe('The same answer.');
  expect(compare(one('FP32', null), one('FP32', 0), 1)[0]?.rows).toEqual([{ kind: 'different', count: 1, of: 1, largest: null }]);
});

test('another shape, a missing output and one more are said', () => {
  expect(verdict(compare([SCORES], [output('score', 'FP32', [2, 3], [1, 2, 3, 4, 5, 6])], 0))).toBe('score: has shape [2, 3], not [2, 2].');
  expect(verdict(compare([SCORES], [], 0))).toBe('score: has no such output.');
  expect(verdict(compare([], [SCORES], 0))).toBe('score: the first has no such output.');
});

test('a request fits another model of the same names and datatypes whose shapes leave room', () => {
  expect(takesTheSame(spec([-1, 4]), spec([-1, 4]))).toBe(true);
  expect(takesTheSame(spec([-1, 4]), spec([1, -1]))).toBe(true);
  expect(takesTheSame(spec([-1, 4]), spec([-1, 5]))).toBe(false);
  expect(takesTheSame(spec([-1, 4]), spec([-1, 4, 1]))).toBe(false);
  expect(takesTheSame(spec([-1, 4]), spec([-1, 4], 'FP64'))).toBe(false);
  expect(takesTheSame(spec([-1, 4]), spec([-1, 4], 'FP32', 'y'))).toBe(false);
  expect(takesTheSame([...spec([-1, 4]), ...spec([1], 'FP32', 'z')], spec([-1, 4]))).toBe(false);
});
