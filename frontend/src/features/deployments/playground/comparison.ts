/** How the answer of one deployment differs from another's to the same request. */
import type { TensorSpec } from '@/lib/tensors';

import { batchOf, rowOf, valueText } from './answerTable';
import type { Cell, InferOutput } from './protocol';

/** Differences up to the tolerance, relative to values beyond 1, count as none. */
export const TOLERANCES = [0, 1e-6, 1e-4, 1e-2] as const;

export type RowDifference =
  | { kind: 'same' }
  /** `largest` is null where values are no numbers. */
  | { kind: 'different'; count: number; of: number; largest: number | null }
  | { kind: 'incomparable'; reason: string };

/** One output, row by row of the batch. */
export interface OutputDifference {
  name: string;
  rows: RowDifference[];
}

/** What differs in `other` from `base`, output by output of `base`, and what only `other` has. */
export function compare(base: readonly InferOutput[], other: readonly InferOutput[], tolerance: number): OutputDifference[] {
  const rows = batchOf(base);
  const known = new Set(base.map((it) => it.name));
  const added = other.filter((it) => !known.has(it.name)).map(({ name }) => everywhere(name, rows, 'the first has no such output'));
  return [...base.map((output) => compareOutput(output, other, rows, tolerance)), ...added];
}

function compareOutput(base: InferOutput, outputs: readonly InferOutput[], rows: number, tolerance: number): OutputDifference {
  const other = outputs.find((it) => it.name === base.name);
  if (!other) return everywhere(base.name, rows, 'has no such output');
  if (String(other.shape) !== String(base.shape)) return everywhere(base.name, rows, `has shape ${shapeWords(other)}, not ${shapeWords(base)}`);
  const exact = !base.datatype.startsWith('FP') && !base.datatype.startsWith('BF');
  return { name: base.name, rows: Array.from({ length: rows }, (_, row) => compareRow(rowOf(base, row, rows), rowOf(other, row, rows), exact ? 0 : tolerance)) };
}

function compareRow(base: readonly Cell[], other: readonly Cell[], tolerance: number): RowDifference {
  let count = 0;
  let largest: number | null = null;
  base.forEach((value, index) => {
    const gap = gapOf(value, other[index] ?? null);
    if (gap <= tolerance * Math.max(1, typeof value === 'number' ? Math.abs(value) : 1)) return;
    count += 1;
    if (Number.isFinite(gap)) largest = Math.max(largest ?? 0, gap);
  });
  return count === 0 ? { kind: 'same' } : { kind: 'different', count, of: base.length, largest };
}

/** Infinite between things that are no two numbers and not the same. */
function gapOf(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b);
  return a === b ? 0 : Infinity;
}

const everywhere = (name: string, rows: number, reason: string): OutputDifference => ({ name, rows: Array.from({ length: rows }, () => ({ kind: 'incomparable', reason })) });
const shapeWords = ({ shape }: InferOutput): string => `[${shape.join(', ')}]`;

/** The whole comparison in one sentence. */
export function verdict(differences: readonly OutputDifference[]): string {
  const odd = differences.find((it) => it.rows.some((row) => row.kind === 'incomparable'));
  const reason = odd?.rows.find((row) => row.kind === 'incomparable')?.reason;
  if (odd) return `${odd.name}: ${reason}.`;
  const found = differences.flatMap(({ name, rows }) => rows.flatMap((row) => (row.kind === 'different' ? [{ name, ...row }] : [])));
  if (found.length === 0) return 'The same answer.';
  const names = [...new Set(found.map((it) => it.name))].join(', ');
  const largest = found.reduce<number | null>((most, it) => (it.largest === null ? most : Math.max(most ?? 0, it.largest)), null);
  return `Differs in ${names}${largest === null ? '' : `, at most by ${valueText(largest)}`}.`;
}

/** Whether a request to one model can be sent to the other: the same names and datatypes, and shapes that leave room for it. */
export function takesTheSame(one: readonly TensorSpec[], other: readonly TensorSpec[]): boolean {
  const byName = new Map(other.map((it) => [it.name, it]));
  return one.length === other.length && one.every((it) => fits(it, byName.get(it.name)));
}

function fits(one: TensorSpec, other: TensorSpec | undefined): boolean {
  if (other?.datatype !== one.datatype || other.shape.length !== one.shape.length) return false;
  return one.shape.every((size, axis) => size === other.shape[axis] || size < 0 || (other.shape[axis] ?? 0) < 0);
}
