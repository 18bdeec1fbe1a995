import { expect, test } from 'vitest';

import { formatRelative } from './format';

test.each([
  [-200, '3 minutes ago'],
  [-40, 'just now'],
  // The server's clock is a little ahead of the browser's.
  [5, 'just now'],
  [30, 'in less than a minute'],
  [3 * 86_400, 'in 3 days'],
])('a time %i s from now is "%s"', (seconds, words) => {
  const now = new Date('2026-11-23T12:00:00Z');
  expect(formatRelative(new Date(now.getTime() + seconds * 1000), now)).toBe(words);
});
