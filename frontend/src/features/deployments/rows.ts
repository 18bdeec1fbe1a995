/** The rows of a prediction, as POST /v1/predict takes them: one value by feature name, or nested lists. */
import * as z from 'zod/mini';

import type { TensorSpec } from '@/lib/tensors';

import type { InferInput, InferRequest } from './playground/form';
import { parseJson } from './playground/protocol';
import type { Value } from './playground/values';

export type Cell = Value | readonly Cell[];
export type Row = Readonly<Record<string, Cell>>;

const feature = z.object({ name: z.string() });
const featureList = z.array(
  z.pipe(
    z.union([z.string(), feature]),
    z.transform((it) => (typeof it === 'string' ? it : it.name)),
  ),
);

/** What `request` asks for, row by row, for a model of such inputs and such a file. */
export function rowsOf({ inputs }: InferRequest, specs: readonly TensorSpec[], metadata: Readonly<Record<string, string>>): Row[] {
  const hasRows = specs.every(({ shape }) => shape[0] === -1 || shape[0] === 1);
  const count = hasRows ? Math.max(...inputs.map(({ shape }) => shape[0] ?? 1)) : 1;
  const names = inputs.length === 1 ? featuresOf(metadata) : [];
  return Array.from({ length: count }, (_, index) => Object.fromEntries(inputs.flatMap((it) => cellsOf(it, hasRows ? index : null, names))));
}

/** The columns that `input` is in one row; `row` is null where the whole input is the cell. */
function cellsOf({ name, shape, data }: InferInput, row: number | null, names: readonly string[]): [string, Cell][] {
  const tail = row === null ? shape : shape.slice(1);
  const size = tail.reduce((product, extent) => product * extent, 1);
  const values = data.slice((row ?? 0) * size, ((row ?? 0) + 1) * size);
  if (tail.length <= 1 && names.length === size) return names.map((it, index) => [it, values[index] ?? 0]);
  const isSingle = tail.length === 0 || (tail.length === 1 && size === 1);
  return [[name, isSingle ? (values[0] ?? 0) : nest(values, tail)]];
}

function nest(values: readonly Value[], shape: readonly number[]): Cell {
  const [extent = 0, ...inner] = shape;
  if (inner.length === 0) return values;
  const size = values.length / extent;
  return Array.from({ length: extent }, (_, index) => nest(values.slice(index * size, (index + 1) * size), inner));
}

/** The feature names that a model file carries, or none. */
function featuresOf(metadata: Readonly<Record<string, string>>): readonly string[] {
  const parsed = parseJson(metadata['headrace.features'] ?? '[]');
  const features = parsed.ok ? featureList.safeParse(parsed.value) : null;
  return features?.success && new Set(features.data).size === features.data.length ? features.data : [];
}
