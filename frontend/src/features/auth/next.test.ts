import { expect, test } from 'vitest';
import { keepNext, takeNext } from './next';

test('what was kept for the way over a provider is good once', () => {
  keepNext('/o/analytical/p/default/keys');
  expect([takeNext(), takeNext()]).toEqual(['/o/analytical/p/default/keys', undefined]);
});

test.each(['//evil.example/', '/\\evil.example', 'https:evil.example', '%2F%2Fevil.example'])('nor does the way back lead to another site: %j', (next) => {
  keepNext(next);
  expect(takeNext()).toBeUndefined();
});
