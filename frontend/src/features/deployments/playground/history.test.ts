import { expect, test } from 'vitest';

import { forgetKept, keep } from '@/lib/kept';

import { addToHistory, clearHistory, readHistory } from './history';

const sent = (text: string) => ({ at: '2026-11-22T14:00:00Z', text, ms: 1.5, fault: null });

test('the last fifty are kept, newest first; the same again moves to the front', () => {
  for (let number = 0; number < 55; number += 1) expect(addToHistory('u.d', sent(String(number)))).toBe(true);
  addToHistory('u.d', sent('30'));
  const texts = readHistory('u.d').map((it) => it.text);
  expect(texts).toHaveLength(50);
  expect(texts.slice(0, 3)).toEqual(['30', '54', '53']);
  expect(readHistory('u.other')).toEqual([]);
});

test('a picture is too large to keep, and many large requests make room for the newest', () => {
  expect(addToHistory('u.d', sent('x'.repeat(70_000)))).toBe(false);
  for (const letter of 'abcdefgh') addToHistory('u.d', sent(letter.repeat(60_000)));
  expect(readHistory('u.d').map((it) => it.text[0])).toEqual(['h', 'g', 'f', 'e', 'd', 'c']);
});

test('what is not a history reads as none', () => {
  for (const text of ['{', '{"a":1}', '[{"at":1}]']) {
    keep('requests.u.d', text);
    expect(readHistory('u.d')).toEqual([]);
  }
});

test('it can be cleared, and is gone with the session', () => {
  addToHistory('u.d', sent('a'));
  addToHistory('u.e', sent('b'));
  localStorage.setItem('headrace.theme', 'dark');
  clearHistory('u.d');
  expect([readHistory('u.d'), readHistory('u.e').length]).toEqual([[], 1]);
  forgetKept();
  expect(readHistory('u.e')).toEqual([]);
  expect(localStorage.getItem('headrace.theme')).toBe('dark');
});
