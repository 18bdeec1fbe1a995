/** How the search of an address is read: what would not be written again as it stands is text, such as a code of twenty digits. */
import { parseSearchWith, stringifySearchWith } from '@tanstack/react-router';

function parse(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (JSON.stringify(value) !== text) throw new SyntaxError('more than it says');
  return value;
}

export const parseSearch = parseSearchWith(parse);
export const stringifySearch = stringifySearchWith(JSON.stringify, parse);
