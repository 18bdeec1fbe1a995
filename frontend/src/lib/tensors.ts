/** How a model's inputs and outputs are spoken of on every page. */

/** One input or output; `-1` in `shape` is a free dimension. */
export interface TensorSpec {
  name: string;
  datatype: string;
  shape: readonly number[];
}

const DATATYPE_WORDS: Readonly<Record<string, string>> = {
  BOOL: 'true or false',
  BYTES: 'text',
  FP16: '16-bit float',
  FP32: '32-bit float',
  FP64: '64-bit float',
  INT8: '8-bit integer',
  INT16: '16-bit integer',
  INT32: '32-bit integer',
  INT64: '64-bit integer',
  UINT8: '8-bit unsigned integer',
  UINT16: '16-bit unsigned integer',
  UINT32: '32-bit unsigned integer',
  UINT64: '64-bit unsigned integer',
};

/** The protocol's datatype in plain words; an unknown one stays as it is. */
export const datatypeWords = (datatype: string): string => DATATYPE_WORDS[datatype] ?? datatype;

/** `[-1, 64]` as "any × 64"; no dimensions at all is a "scalar". */
export function shapeText(shape: readonly number[]): string {
  if (shape.length === 0) return 'scalar';
  return shape.map((size) => (size < 0 ? 'any' : String(size))).join(' × ');
}
