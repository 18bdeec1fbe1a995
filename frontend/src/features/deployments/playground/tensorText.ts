/** A whole tensor as text: nested JSON lists, or comma-separated values with one line for each row. */
import { shapeText, type TensorSpec } from '@/lib/tensors';
import { parseValue, type Parsed, type Value } from './values';

export interface Tensor {
  shape: number[];
  /** Row-major, `product(shape)` long. */
  data: Value[];
}

export const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);
const refuse = (fault: string): { ok: false; fault: string } => ({ ok: false, fault });

/** Reads a tensor of `spec` from JSON lists or comma-separated lines. */
export function parseTensor(spec: TensorSpec, text: string): Parsed<Tensor> {
  const trimmed = text.trim();
  if (trimmed === '') return refuse('Paste values, separated by commas, or a JSON list');
  const cells = trimmed.startsWith('[') ? cellsOfJson(trimmed) : cellsOfLines(trimmed);
  if (!cells.ok) return cells;
  const shape = fit(spec.shape, cells.value);
  if (!shape.ok) return shape;
  const data: Value[] = [];
  for (const cell of cells.value.words) {
    const value = parseValue(spec.datatype, cell);
    if (!value.ok) return refuse(`Value ${data.length + 1}: ${value.fault}`);
    data.push(value.value);
  }
  return { ok: true, value: { shape: shape.value, data } };
}

/** Every value as text, and the sizes of the nesting they were found in. */
interface Cells {
  words: string[];
  sizes: number[];
}

function cellsOfJson(text: string): Parsed<Cells> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse('This starts like a JSON list but is not complete JSON');
  }
  const sizes = sizesOf(parsed);
  const words: string[] = [];
  return collect(parsed, sizes, words) ? { ok: true, value: { words, sizes } } : refuse('The lists are not all of the same length');
}

function sizesOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...sizesOf(value[0])] : [];
}

function collect(value: unknown, sizes: readonly number[], words: string[]): boolean {
  const [size, ...inner] = sizes;
  if (size === undefined) {
    if (typeof value === 'object') return false;
    words.push(String(value));
    return true;
  }
  return Array.isArray(value) && value.length === size && value.every((item) => collect(item, inner, words));
}

function cellsOfLines(text: string): Parsed<Cells> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const rows = lines.map((line) => line.split(/[,;\t]/).map((cell) => cell.trim()));
  const width = rows[0]?.length ?? 0;
  const odd = rows.findIndex((row) => row.length !== width);
  if (odd >= 0) {
    return refuse(`Line ${odd + 1} has ${rows[odd]?.length ?? 0} values, line 1 has ${width}`);
  }
  return { ok: true, value: { words: rows.flat(), sizes: rows.length === 1 ? [width] : [rows.length, width] } };
}

/** The shape these cells take in a tensor of `shape`, its free dimensions filled in. */
function fit(shape: readonly number[], { words, sizes }: Cells): Parsed<number[]> {
  const exact = sizes.length === shape.length && shape.every((size, axis) => size < 0 || size === sizes[axis]);
  if (exact) return { ok: true, value: sizes };
  const free = shape.filter((size) => size < 0).length;
  const fixed = product(shape.filter((size) => size >= 0));
  if (free > 1) return fitSeveral(shape, words.length);
  const rows = words.length / fixed;
  const fits = free === 0 ? rows === 1 : Number.isInteger(rows) && rows > 0;
  if (fits) return { ok: true, value: shape.map((size) => (size < 0 ? rows : size)) };
  return refuse(`${words.length} values do not fill ${shapeText(shape)}`);
}

function fitSeveral(shape: readonly number[], count: number): Parsed<number[]> {
  // One line of values for [any, any] is one row; deeper shapes cannot be guessed from a flat list.
  if (shape.length === 2) return { ok: true, value: [1, count] };
  return refuse(`Write nested JSON lists: ${shapeText(shape)} has several free dimensions`);
}

/** The text that `parseTensor` reads back to the same tensor. */
export function formatTensor(spec: TensorSpec, { shape, data }: Tensor): string {
  const free = spec.shape.filter((size) => size < 0).length;
  const plain = data.every((value) => typeof value !== 'string' || /^[^,;\t\r\n[\]]+$/.test(value.trim()));
  if (!plain || shape.length === 0 || (free > 1 && shape.length > 2)) return JSON.stringify(nest(shape, data));
  const width = shape.length > 1 ? product(shape.slice(1)) : data.length;
  const lines: string[] = [];
  for (let start = 0; start < data.length; start += width) lines.push(data.slice(start, start + width).join(', '));
  return lines.join('\n');
}

type Nested = Value | Nested[];

function nest(shape: readonly number[], data: readonly Value[]): Nested {
  const [size, ...inner] = shape;
  if (size === undefined) return data[0] ?? 0;
  const step = product(inner);
  return Array.from({ length: size }, (_, index) => nest(inner, data.slice(index * step, (index + 1) * step)));
}

