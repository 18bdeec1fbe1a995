import { expect, test } from 'vitest';

import { answerTable, inOrderOf } from './answerTable';
import { exampleOf, labelsOf, parseAnswer, parseRequest } from './protocol';

test('a classifier shows its classes by name and its probabilities largest first', () => {
  const outputs = [
    { name: 'label', datatype: 'INT64', shape: [2], data: [0, 1] },
    { name: 'probabilities', datatype: 'FP32', shape: [2, 2], data: [0.8, 0.2, 0.3, 0.7] },
  ];
  expect(answerTable(outputs, ['repays', 'defaults'])).toEqual({
    columns: ['label', 'probabilities'],
    rows: [
      [
        { kind: 'class', label: 'repays', value: '0' },
        { kind: 'shares', shares: [{ label: 'repays', value: 0.8 }, { label: 'defaults', value: 0.2 }] },
      ],
      [
        { kind: 'class', label: 'defaults', value: '1' },
        { kind: 'shares', shares: [{ label: 'defaults', value: 0.7 }, { label: 'repays', value: 0.3 }] },
      ],
    ],
  });
});

test('values that are no probabilities are a list, a long one cut short', () => {
  const data = Array.from({ length: 14 }, (_, index) => index + 0.123456789);
  const { rows } = answerTable([{ name: 'embedding', datatype: 'FP32', shape: [1, 14], data }], []);
  expect(rows[0]?.[0]).toMatchObject({ kind: 'list', more: 2 });
  expect(rows[0]?.[0]).toHaveProperty('values.0', '0.123457');
});

test('a NaN, which JSON carries as null, is said in words', () => {
  const { rows } = answerTable([{ name: 'score', datatype: 'FP32', shape: [1, 1], data: [null] }], []);
  expect(rows).toEqual([[{ kind: 'text', text: 'not a number' }]]);
});

test('outputs of different lengths are shown whole, in one row', () => {
  const outputs = [
    { name: 'scores', datatype: 'FP32', shape: [2], data: [3, 4] },
    { name: 'mean', datatype: 'FP32', shape: [], data: [3.5] },
  ];
  expect(answerTable(outputs, []).rows).toEqual([[{ kind: 'list', values: ['3', '4'], more: 0 }, { kind: 'text', text: '3.5' }]]);
});

test('metadata that is not as agreed is no example and no labels', () => {
  expect(exampleOf({ 'headrace.example': '[{"name":"x"}]' })).toBeNull();
  expect(exampleOf({ 'headrace.example': 'nonsense' })).toBeNull();
  expect(labelsOf({ 'headrace.labels': '{"a":1}' })).toEqual([]);
  expect(labelsOf({ 'headrace.labels': '["yes",2]' })).toEqual(['yes', '2']);
});

test('nested data is read as the same values in a row', () => {
  const parsed = parseRequest('{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"data":[[1,2],[3,4]]}]}');
  expect(parsed).toEqual({ ok: true, value: { inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] }] } });
});

test('an answer that is not as the protocol says names the field', () => {
  expect(parseAnswer({ outputs: [{ name: 'x', datatype: 'FP32', shape: 'two', data: [] }] })).toMatchObject({ ok: false, fault: expect.stringContaining('outputs.0.shape') });
});

const shares = (...labels: string[]) => ({ kind: 'shares' as const, shares: labels.map((label) => ({ label, value: 0.25 })) });

test('shares beside others are read in their order', () => {
  expect(inOrderOf(shares('cat', 'dog', 'frog'), shares('frog', 'dog', 'cat', 'ship'))).toEqual(shares('cat', 'dog', 'frog', 'ship'));
  const text = { kind: 'text' as const, text: '7' };
  expect([inOrderOf(shares('cat'), text), inOrderOf(undefined, text)]).toEqual([text, text]);
});
