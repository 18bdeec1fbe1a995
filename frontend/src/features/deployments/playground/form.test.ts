import { expect, test } from 'vitest';

import type { TensorSpec } from '@/lib/tensors';

import { blankDraft, buildRequest, draftFrom, layoutOf, rowField, wholeField } from './form';

const spec = (name: string, datatype: string, shape: number[]): TensorSpec => ({ name, datatype, shape });

const MIXED = layoutOf([spec('age', 'INT64', [-1, 1]), spec('income', 'FP32', [-1, 1]), spec('purpose', 'BYTES', [-1, 1]), spec('guarantor', 'BOOL', [-1])]);

test('columns of mixed datatypes become one input each, with a value a row', () => {
  const draft = {
    rows: [
      { age: '52', income: '48200.5', purpose: 'car', guarantor: 'false' },
      { age: '23', income: '1e3', purpose: '', guarantor: 'true' },
    ],
    scalars: {},
    tensors: {},
    attached: {},
  };
  expect(buildRequest(MIXED, draft)).toEqual({
    ok: true,
    request: {
      inputs: [
        { name: 'age', datatype: 'INT64', shape: [2, 1], data: [52, 23] },
        { name: 'income', datatype: 'FP32', shape: [2, 1], data: [48200.5, 1000] },
        { name: 'purpose', datatype: 'BYTES', shape: [2, 1], data: ['car', ''] },
        { name: 'guarantor', datatype: 'BOOL', shape: [2], data: [false, true] },
      ],
    },
  });
});

test('a tensor keeps its rows and a scalar its shape', () => {
  const layout = layoutOf([spec('pixels', 'FP32', [-1, 4]), spec('threshold', 'FP64', []), spec('k', 'INT32', [1])]);
  const draft = { rows: [{}], scalars: { threshold: '0.5', k: '3' }, tensors: { pixels: '1, 2, 3, 4\n5, 6, 7, 8' }, attached: {} };
  expect(buildRequest(layout, draft)).toEqual({
    ok: true,
    request: {
      inputs: [
        { name: 'pixels', datatype: 'FP32', shape: [2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] },
        { name: 'threshold', datatype: 'FP64', shape: [], data: [0.5] },
        { name: 'k', datatype: 'INT32', shape: [1], data: [3] },
      ],
    },
  });
});

test('every fault is told at its own field', () => {
  const layout = layoutOf([spec('age', 'INT8', [-1]), spec('window', 'FP32', [-1, 2])]);
  const draft = { rows: [{ age: '1' }, { age: '1.5' }, { age: '300' }, { age: '' }], scalars: {}, tensors: { window: '1, 2, 3' }, attached: {} };
  expect(buildRequest(layout, draft)).toEqual({
    ok: false,
    faults: {
      [rowField(1, 'age')]: 'Enter a whole number',
      [rowField(2, 'age')]: 'Enter a number from -128 to 127',
      [rowField(3, 'age')]: 'Enter a number',
      [wholeField('window')]: '3 values do not fill any × 2',
    },
  });
});

test.each([
  ['columns', [spec('a', 'INT64', [-1, 1]), spec('b', 'BYTES', [-1])]],
  ['a wide tensor', [spec('x', 'FP32', [-1, 64])]],
  ['an image', [spec('image', 'UINT8', [1, 3, 4, 4])]],
  ['a boolean mask', [spec('mask', 'BOOL', [-1, 3])]],
  ['two free dimensions', [spec('tokens', 'INT64', [-1, -1])]],
])('a blank draft of %s can be sent as it is', (_, inputs) => {
  expect(buildRequest(layoutOf(inputs), blankDraft(layoutOf(inputs)))).toMatchObject({ ok: true });
});

test('a request fills the form that makes the same request', () => {
  const inputs = [spec('age', 'INT64', [-1, 1]), spec('scale', 'FP32', []), spec('tokens', 'INT64', [-1, -1]), spec('cube', 'FP32', [-1, -1, 2])];
  const request = {
    inputs: [
      { name: 'age', datatype: 'INT64', shape: [2, 1], data: [52, 23] },
      { name: 'scale', datatype: 'FP32', shape: [], data: [0.5] },
      { name: 'tokens', datatype: 'INT64', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] },
      { name: 'cube', datatype: 'FP32', shape: [1, 2, 2], data: [1, 2, 3, 4] },
    ],
  };
  const layout = layoutOf(inputs);
  expect(buildRequest(layout, draftFrom(layout, request))).toEqual({ ok: true, request });
});
