/** A narrow table of numbers as the cells of a grid; its text stays the one truth. */
import type { TensorSpec } from '@/lib/tensors';

const WIDEST = 12;
const MOST_ROWS = 50;

/** Columns of an input that can be typed cell by cell, or 0: [any, 2 to 12] of numbers. */
export function gridWidth({ datatype, shape: [rows, width = 0, ...rest] }: TensorSpec): number {
  return datatype !== 'BYTES' && rows !== undefined && rest.length === 0 && width >= 2 && width <= WIDEST ? width : 0;
}

/** The cells of a text, row by row; null when it is no table of this width, or too long to be shown as one. */
export function cellsOf(text: string, width: number): string[][] | null {
  if (text.trim().startsWith('[')) return null;
  const rows = splitLines(text);
  if (rows.length === 0) return [Array<string>(width).fill('')];
  return rows.length <= MOST_ROWS && rows.every((row) => row.length === width) ? rows : null;
}

export const textOf = (rows: readonly (readonly string[])[]): string => rows.map((row) => row.join(', ')).join('\n');

/** What was copied from a spreadsheet or a CSV file, put in from one cell on; rows are added where it is longer. */
export function pasteInto(rows: readonly (readonly string[])[], row: number, column: number, pasted: string): string[][] {
  const width = rows[0]?.length ?? 0;
  const block = splitLines(pasted);
  const height = Math.max(rows.length, Math.min(row + block.length, MOST_ROWS));
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_cell, x) => block[y - row]?.[x - column] ?? rows[y]?.[x] ?? '0'));
}

/** Whether what is pasted is more than one cell. */
export const isBlock = (text: string): boolean => /[\t,;\n]/.test(text.trim());

const splitLines = (text: string): string[][] =>
  text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(/[,;\t]/).map((cell) => cell.trim()));
