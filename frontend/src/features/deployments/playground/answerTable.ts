/** An inference answer as a table: one row a row of the batch, one column an output, class names where the model has them. */
import type { Cell, InferOutput } from './protocol';
import { product } from './tensorText';

export interface Share {
  label: string;
  /** From 0 to 1. */
  value: number;
}

export type AnswerCell =
  | { kind: 'text'; text: string }
  | { kind: 'class'; label: string; value: string }
  /** Largest first. */
  | { kind: 'shares'; shares: Share[] }
  | { kind: 'list'; values: string[]; more: number };

export interface AnswerTable {
  columns: string[];
  rows: AnswerCell[][];
}

const LISTED_VALUES = 12;
const LARGEST_CLASS_COUNT = 1000;
const SUM_TOLERANCE = 0.01;

export function answerTable(outputs: readonly InferOutput[], labels: readonly string[]): AnswerTable {
  const batch = batchOf(outputs);
  const rows = Array.from({ length: batch }, (_, row) => outputs.map((output) => cellAt(output, row, batch, labels)));
  return { columns: outputs.map((it) => it.name), rows };
}

/** One output's part of one row of the batch. */
export const cellAt = (output: InferOutput, row: number, batch: number, labels: readonly string[]): AnswerCell => cellOf(rowOf(output, row, batch), output.datatype, labels);

/** Shares in the order of another cell's, so that the two can be read side by side; every other cell as it is. */
export function inOrderOf(base: AnswerCell | undefined, cell: AnswerCell): AnswerCell {
  if (base?.kind !== 'shares' || cell.kind !== 'shares') return cell;
  const places = new Map(base.shares.map((it, place) => [it.label, place]));
  const placeOf = ({ label }: Share): number => places.get(label) ?? base.shares.length;
  return { kind: 'shares', shares: cell.shares.toSorted((a, b) => placeOf(a) - placeOf(b)) };
}

/** The first dimension that all outputs share; 1 if there is none, and then each output is shown whole. */
export function batchOf(outputs: readonly InferOutput[]): number {
  const first = outputs[0]?.shape[0] ?? 1;
  return outputs.every((it) => it.shape[0] === first) ? first : 1;
}

export function rowOf({ shape, data }: InferOutput, row: number, batch: number): Cell[] {
  if (shape[0] !== batch) return data;
  const width = product(shape.slice(1));
  return data.slice(row * width, (row + 1) * width);
}

function cellOf(values: readonly Cell[], datatype: string, labels: readonly string[]): AnswerCell {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return singleCell(only, datatype, labels);
  if (datatype.startsWith('FP') && areShares(values)) return { kind: 'shares', shares: sharesOf(values, labels) };
  return { kind: 'list', values: values.slice(0, LISTED_VALUES).map(valueText), more: Math.max(0, values.length - LISTED_VALUES) };
}

function singleCell(value: Cell, datatype: string, labels: readonly string[]): AnswerCell {
  const label = typeof value === 'number' && datatype.includes('INT') ? labels[value] : undefined;
  return label === undefined ? { kind: 'text', text: valueText(value) } : { kind: 'class', label, value: valueText(value) };
}

function areShares(values: readonly Cell[]): values is number[] {
  if (values.length < 2 || values.length > LARGEST_CLASS_COUNT) return false;
  let sum = 0;
  for (const value of values) {
    if (typeof value !== 'number' || value < 0 || value > 1) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= SUM_TOLERANCE;
}

function sharesOf(values: readonly number[], labels: readonly string[]): Share[] {
  const named = labels.length === values.length;
  const shares = values.map((value, index) => ({ label: (named ? labels[index] : undefined) ?? `class ${index}`, value }));
  return shares.toSorted((a, b) => b.value - a.value);
}

/** Six significant digits: more than a reader compares, fewer than a float's noise. */
export function valueText(value: Cell): string {
  if (value === null) return 'not a number';
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(6)));
}
