/** From what a person typed to one value of a tensor, with the reason when it is not one. */

export type Value = number | string | boolean;
export type Parsed<T> = { ok: true; value: T } | { ok: false; fault: string };

const INTEGERS: Readonly<Record<string, readonly [low: number, high: number]>> = {
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  // JSON numbers in a browser are exact only up to 2^53; larger ones can be sent from the JSON view.
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
};

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

const accept = <T>(value: T): Parsed<T> => ({ ok: true, value });
const refuse = (fault: string): { ok: false; fault: string } => ({ ok: false, fault });

/** One value of `datatype` from text. Text for BYTES is taken as it is, even when empty. */
export function parseValue(datatype: string, text: string): Parsed<Value> {
  if (datatype === 'BYTES') return accept(text);
  const word = text.trim();
  if (datatype === 'BOOL') return parseBoolean(word);
  if (word === '') return refuse('Enter a number');
  const number = Number(word);
  if (!Number.isFinite(number)) return refuse(`“${shorten(word)}” is not a number`);
  const range = INTEGERS[datatype];
  return range ? parseInteger(number, range) : accept(number);
}

function parseBoolean(word: string): Parsed<Value> {
  const value = BOOLEANS[word.toLowerCase()];
  return value === undefined ? refuse('Enter true or false') : accept(value);
}

function parseInteger(number: number, [low, high]: readonly [number, number]): Parsed<Value> {
  if (!Number.isInteger(number)) return refuse('Enter a whole number');
  return number < low || number > high ? refuse(`Enter a number from ${low} to ${high}`) : accept(number);
}

/** The value a field starts with when the model brings no example. */
export function blankValue(datatype: string): string {
  if (datatype === 'BYTES') return '';
  return datatype === 'BOOL' ? 'false' : '0';
}

export const shorten = (word: string): string => (word.length > 24 ? `${word.slice(0, 23)}…` : word);
