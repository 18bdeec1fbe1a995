import { expect, test } from 'vitest';

import type { TensorSpec } from '@/lib/tensors';

import { formatTensor, parseTensor } from './tensorText';

const spec = (shape: number[], datatype = 'FP32'): TensorSpec => ({ name: 'x', datatype, shape });
const ok = (shape: number[], data: unknown[]) => ({ ok: true, value: { shape, data } });
const fault = (words: string) => ({ ok: false, fault: words });

test.each([
  ['one line is one row', [-1, 3], '1, 2, 3', ok([1, 3], [1, 2, 3])],
  ['lines are rows', [-1, 2], '1,2\n3,4\n\n5,6', ok([3, 2], [1, 2, 3, 4, 5, 6])],
  ['lines of a picture make one row', [-1, 4], '1,2\n3,4', ok([1, 4], [1, 2, 3, 4])],
  ['semicolons and tabs separate too', [3], '1;2\t3', ok([3], [1, 2, 3])],
  ['nested lists carry their shape', [-1, -1, 2], '[[[1,2],[3,4]]]', ok([1, 2, 2], [1, 2, 3, 4])],
  ['a flat list fills the free dimension', [-1, 2, 2], '[1,2,3,4,5,6,7,8]', ok([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])],
  ['a flat line is one row of a free width', [-1, -1], '1,2,3', ok([1, 3], [1, 2, 3])],
])('%s', (_, shape, text, expected) => {
  expect(parseTensor(spec(shape), text)).toEqual(expected);
});

test.each([
  ['uneven lines', [-1, 2], '1,2\n3', fault('Line 2 has 1 values, line 1 has 2')],
  ['a wrong number of values', [2, 2], '1,2,3', fault('3 values do not fill 2 × 2')],
  ['a word among numbers', [-1], '1,two', fault('Value 2: “two” is not a number')],
  ['half a list', [-1], '[1,2', fault('This starts like a JSON list but is not complete JSON')],
  ['ragged lists', [-1, -1], '[[1,2],[3]]', fault('The lists are not all of the same length')],
  ['a flat list for several free dimensions', [-1, -1, 3], '1,2,3', fault('Write nested JSON lists: any × any × 3 has several free dimensions')],
  ['nothing', [-1], ' ', fault('Paste values, separated by commas, or a JSON list')],
  ['a gap', [3], '1,,3', fault('Value 2: Enter a number')],
])('%s is refused in words', (_, shape, text, expected) => {
  expect(parseTensor(spec(shape), text)).toEqual(expected);
});

test('texts that hold separators come back through JSON', () => {
  const tensor = { shape: [1, 2], data: ['a, b', ''] };
  const text = formatTensor(spec([-1, 2], 'BYTES'), tensor);
  expect(text).toBe('[["a, b",""]]');
  expect(parseTensor(spec([-1, 2], 'BYTES'), text)).toEqual({ ok: true, value: tensor });
});
