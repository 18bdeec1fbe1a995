/** The "try it" form of any model: what it asks for, its first values, and the inference request it makes. */
import type { TensorSpec } from '@/lib/tensors';
import type { Fit, Scale } from './image';
import { formatTensor, parseTensor, product, type Tensor } from './tensorText';
import { blankValue, parseValue, type Value } from './values';

export interface InferInput {
  name: string;
  datatype: string;
  shape: number[];
  data: Value[];
}

/** The body of an Open Inference Protocol request. */
export interface InferRequest {
  inputs: InferInput[];
}

/** How a model's inputs are asked for. */
export interface Layout {
  inputs: readonly TensorSpec[];
  /** One value a row of the batch, like the columns of a table: shape [any] or [any, 1]. */
  columns: readonly TensorSpec[];
  /** One value, whatever the batch. */
  scalars: readonly TensorSpec[];
  /** Everything larger: asked for as text. */
  tensors: readonly TensorSpec[];
}

/** What the person has typed, by input name; `rows` has one record a row of the batch. */
export interface Draft {
  rows: Record<string, string>[];
  scalars: Record<string, string>;
  tensors: Record<string, string>;
  /** Tensors that are no text: a picture, or more values than a field can show. They go before `tensors`. */
  attached: Record<string, Attachment>;
}

export interface Attachment {
  tensor: Tensor;
  /** Where it came from. */
  label: string;
  picture?: Picture;
}

/** The file of a picture and how it became a tensor. */
export interface Picture {
  file: Blob;
  scale: Scale;
  fit: Fit;
}

/** Fault by field: see `rowField` and `wholeField`. */
export type Faults = Readonly<Record<string, string>>;
export type Built = { ok: true; request: InferRequest } | { ok: false; faults: Faults };

export const rowField = (row: number, name: string): string => `row ${row} ${name}`;
export const wholeField = (name: string): string => `whole ${name}`;

const LARGEST_BLANK_TENSOR = 4096;
/** Values of a tensor that is still shown as text. */
const LARGEST_TEXT = 16_384;

const isColumn = ({ shape: [first, ...rest] }: TensorSpec): boolean => first !== undefined && first < 0 && (rest.length === 0 || (rest.length === 1 && rest[0] === 1));
const isScalar = ({ shape }: TensorSpec): boolean => shape.every((size) => size === 1);

export function layoutOf(inputs: readonly TensorSpec[]): Layout {
  const columns = inputs.filter(isColumn);
  const scalars = inputs.filter(isScalar);
  return { inputs, columns, scalars, tensors: inputs.filter((it) => !isColumn(it) && !isScalar(it)) };
}

/** A first draft without an example: zeros, `false` and empty texts, one row. */
export function blankDraft(layout: Layout): Draft {
  return {
    rows: [blankRow(layout)],
    scalars: Object.fromEntries(layout.scalars.map((it) => [it.name, blankValue(it.datatype)])),
    tensors: Object.fromEntries(layout.tensors.map((it) => [it.name, blankTensor(it)])),
    attached: {},
  };
}

export const blankRow = (layout: Layout): Record<string, string> => Object.fromEntries(layout.columns.map((it) => [it.name, blankValue(it.datatype)]));

function blankTensor(spec: TensorSpec): string {
  const shape = spec.shape.map((size) => Math.max(size, 1));
  if (product(shape) > LARGEST_BLANK_TENSOR || spec.datatype === 'BYTES') return '';
  return formatTensor(spec, { shape, data: Array<Value>(product(shape)).fill(spec.datatype === 'BOOL' ? false : 0) });
}

/** The draft that makes this request again; an input it lacks starts blank. */
export function draftFrom(layout: Layout, { inputs }: InferRequest): Draft {
  const given = new Map(inputs.map((it) => [it.name, it]));
  const blank = blankDraft(layout);
  const rows = Math.max(1, ...layout.columns.map((it) => given.get(it.name)?.data.length ?? 0));
  return {
    rows: Array.from({ length: rows }, (_, row) => ({ ...blank.rows[0], ...pick(layout.columns, given, (input) => textAt(input, row)) })),
    scalars: { ...blank.scalars, ...pick(layout.scalars, given, (input) => textAt(input, 0)) },
    tensors: { ...blank.tensors, ...pick(layout.tensors, given, (input, spec) => (isLarge(input) ? undefined : formatTensor(spec, input))) },
    attached: pick(layout.tensors, given, (input) => (isLarge(input) ? { tensor: input, label: 'From the request' } : undefined)),
  };
}

const isLarge = ({ data }: Tensor): boolean => data.length > LARGEST_TEXT;

function pick<T>(specs: readonly TensorSpec[], given: ReadonlyMap<string, InferInput>, read: (input: InferInput, spec: TensorSpec) => T | undefined): Record<string, T> {
  const found: Record<string, T> = {};
  for (const spec of specs) {
    const input = given.get(spec.name);
    const value = input && read(input, spec);
    if (value !== undefined) found[spec.name] = value;
  }
  return found;
}

function textAt(input: InferInput, index: number): string | undefined {
  const value = input.data[index];
  return value === undefined ? undefined : String(value);
}

/** The request of a draft, or every fault in it. */
export function buildRequest(layout: Layout, draft: Draft): Built {
  const faults: Record<string, string> = {};
  const built = layout.inputs.map((spec) => {
    const tensor = layout.columns.includes(spec) ? readColumn(spec, draft.rows, faults) : readWhole(spec, layout, draft, faults);
    return { name: spec.name, datatype: spec.datatype, ...tensor };
  });
  return Object.keys(faults).length > 0 ? { ok: false, faults } : { ok: true, request: { inputs: built } };
}

function readColumn(spec: TensorSpec, rows: Draft['rows'], faults: Record<string, string>): Tensor {
  const data = rows.map((row, index): Value => {
    const parsed = parseValue(spec.datatype, row[spec.name] ?? '');
    if (parsed.ok) return parsed.value;
    faults[rowField(index, spec.name)] = parsed.fault;
    return 0;
  });
  return { shape: [rows.length, ...spec.shape.slice(1)], data };
}

function readWhole(spec: TensorSpec, layout: Layout, draft: Draft, faults: Record<string, string>): Tensor {
  const attached = draft.attached[spec.name];
  if (attached) return { shape: attached.tensor.shape, data: attached.tensor.data };
  const parsed = layout.scalars.includes(spec) ? readScalar(spec, draft.scalars[spec.name] ?? '') : parseTensor(spec, draft.tensors[spec.name] ?? '');
  if (parsed.ok) return parsed.value;
  faults[wholeField(spec.name)] = parsed.fault;
  return { shape: [], data: [] };
}

function readScalar(spec: TensorSpec, text: string) {
  const parsed = parseValue(spec.datatype, text);
  return parsed.ok ? { ok: true as const, value: { shape: [...spec.shape], data: [parsed.value] } } : parsed;
}
