import { expect, test } from 'vitest';

import { curlSnippet, javascriptSnippet, pythonSnippet, tritonSnippet } from './snippets';

const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor;
const TARGET = { inferenceUrl: 'https://infer.example.com', deployment: 'credit' };
const REQUEST = {
  inputs: [
    { name: 'age', datatype: 'INT64', shape: [1, 1], data: [52] },
    { name: 'purpose', datatype: 'BYTES', shape: [1], data: ["it's a car"] },
    { name: 'guarantor', datatype: 'BOOL', shape: [1, 1], data: [true] },
  ],
};

test('the curl line survives a quote in the data', () => {
  expect(curlSnippet(TARGET, REQUEST)).toContain(String.raw`it'\''s a car`);
  expect(curlSnippet(TARGET, REQUEST)).toContain('curl -s https://infer.example.com/v2/models/credit/infer');
});

test('Python gets Python booleans', () => {
  expect(pythonSnippet(TARGET, REQUEST)).toContain('{"name": "guarantor", "datatype": "BOOL", "shape": [1, 1], "data": [True]}');
});

test('JavaScript is a module that Node can run', () => {
  const code = javascriptSnippet(TARGET, REQUEST);
  expect(code).toContain('fetch("https://infer.example.com/v2/models/credit/infer", {');
  expect(code).toContain('{ name: "guarantor", datatype: "BOOL", shape: [1,1], data: [true] },');
  expect(() => new AsyncFunction(code)).not.toThrow();
});

test('tritonclient gets the host without scheme, and arrays of the right type and shape', () => {
  const code = tritonSnippet(TARGET, REQUEST);
  expect(code).toContain('triton.InferenceServerClient("infer.example.com", ssl=True)');
  expect(code).toContain('"age": ("INT64", np.array([52], dtype=np.int64).reshape((1, 1))),');
  expect(code).toContain('"purpose": ("BYTES", np.array(["it\'s a car"], dtype=np.object_).reshape((1,))),');
});

test('a large tensor is made up rather than listed', () => {
  const request = { inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 3, 16, 16], data: Array<number>(768).fill(0) }] };
  expect(tritonSnippet(TARGET, request)).toContain('np.zeros((1, 3, 16, 16), dtype=np.float32)');
  expect(pythonSnippet(TARGET, request)).toContain('"data": [0] * 768');
});

test.each([
  ['BOOL', '[False] * 300', 'Array(300).fill(false)'],
  ['BYTES', '[""] * 300', 'Array(300).fill("")'],
])('what is made up for %s is of that type', (datatype, python, javascript) => {
  const request = { inputs: [{ name: 'x', datatype, shape: [1, 300], data: Array<string>(300).fill('what was typed') }] };
  expect(pythonSnippet(TARGET, request)).toContain(`"data": ${python}}`);
  expect(javascriptSnippet(TARGET, request)).toContain(`data: ${javascript} }`);
});
