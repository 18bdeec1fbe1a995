import { expect, test } from 'vitest';

import { PREDICT_SNIPPETS } from './predictSnippets';
import { rowsOf } from './rows';

const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor;
const TARGET = { inferenceUrl: 'https://infer.example.com', deployment: 'credit' };
const COLUMNS = [
  { name: 'age', datatype: 'FP32', shape: [-1, 1] },
  { name: 'purpose', datatype: 'BYTES', shape: [-1] },
  { name: 'guarantor', datatype: 'BOOL', shape: [-1, 1] },
];
const REQUEST = {
  inputs: [
    { name: 'age', datatype: 'FP32', shape: [2, 1], data: [52, 23] },
    { name: 'purpose', datatype: 'BYTES', shape: [2], data: ["it's a car", 'home'] },
    { name: 'guarantor', datatype: 'BOOL', shape: [2, 1], data: [true, false] },
  ],
};
const ROWS = [
  { age: 52, purpose: "it's a car", guarantor: true },
  { age: 23, purpose: 'home', guarantor: false },
];
const matrix = (shape: number[], data: number[]) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape, data }] });

test('columns become rows', () => {
  expect(rowsOf(REQUEST, COLUMNS, {})).toEqual(ROWS);
});

test('the features that the file names, or one list', () => {
  const request = matrix([2, 2], [1, 2, 3, 4]);
  const specs = [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }];
  const metadata = { 'headrace.features': '["width", {"name": "height", "type": "integer"}]' };
  expect(rowsOf(request, specs, metadata)).toEqual([
    { width: 1, height: 2 },
    { width: 3, height: 4 },
  ]);
  for (const text of ['["width"]', '["a", "a"]', 'nonsense', '{}']) {
    expect(rowsOf(request, specs, { 'headrace.features': text })).toEqual([{ x: [1, 2] }, { x: [3, 4] }]);
  }
});

test('pictures are nested; a model without rows takes whole inputs', () => {
  expect(rowsOf(matrix([1, 2, 2], [1, 2, 3, 4]), [{ name: 'x', datatype: 'FP32', shape: [1, 2, 2] }], {})).toEqual([
    {
      x: [
        [1, 2],
        [3, 4],
      ],
    },
  ]);
  expect(rowsOf(matrix([2, 1], [1, 2]), [{ name: 'x', datatype: 'FP32', shape: [2, -1] }], {})).toEqual([{ x: [[1], [2]] }]);
  expect(rowsOf(matrix([], [7]), [{ name: 'x', datatype: 'FP32', shape: [] }], {})).toEqual([{ x: 7 }]);
});

test('the curl line survives a quote in the data', () => {
  const code = PREDICT_SNIPPETS.curl(TARGET, ROWS);
  expect(code).toContain('curl -s https://infer.example.com/v1/predict/credit');
  const body = /-d '(.*)'$/s.exec(code)?.[1]?.replaceAll(String.raw`'\''`, "'");
  expect(JSON.parse(body ?? '')).toEqual({ rows: ROWS });
});

test('Python gets Python booleans', () => {
  expect(PREDICT_SNIPPETS.python(TARGET, ROWS)).toContain('    {"age": 52, "purpose": "it\'s a car", "guarantor": True},');
});

test('JavaScript is a module that Node can run', () => {
  const code = PREDICT_SNIPPETS.javascript(TARGET, ROWS);
  expect(code).toContain('fetch("https://infer.example.com/v1/predict/credit", {');
  expect(() => new AsyncFunction(code)).not.toThrow();
});

test('long lists are made up rather than listed', () => {
  const rows = rowsOf(matrix([1, 3, 16, 16], Array<number>(768).fill(1)), [{ name: 'x', datatype: 'FP32', shape: [-1, 3, 16, 16] }], {});
  expect(PREDICT_SNIPPETS.python(TARGET, rows)).toContain(`{"x": [[[${Array(16).fill(0).join(', ')}], `);
  expect(PREDICT_SNIPPETS.python(TARGET, rows)).toContain(']] * 3},');
  expect(PREDICT_SNIPPETS.javascript(TARGET, rows)).toContain('"x": Array(3).fill([[0,');
});
