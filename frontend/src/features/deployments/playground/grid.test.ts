import { expect, test } from 'vitest';

import { cellsOf, gridWidth, isBlock, pasteInto, textOf } from './grid';

const spec = (shape: number[], datatype = 'FP32') => ({ name: 'x', datatype, shape });

test('a narrow table of numbers is a grid', () => {
  expect([gridWidth(spec([-1, 4])), gridWidth(spec([3, 2], 'INT64'))]).toEqual([4, 2]);
  expect([[-1], [-1, 1], [-1, 13], [-1, 4, 2], [-1, -1]].map((shape) => gridWidth(spec(shape)))).toEqual([0, 0, 0, 0, 0]);
  expect(gridWidth(spec([-1, 4], 'BYTES'))).toBe(0);
});

test('its text and its cells say the same', () => {
  const cells = [
    ['1', '2.5'],
    ['', 'x'],
  ];
  expect(cellsOf(textOf(cells), 2)).toEqual(cells);
  expect(cellsOf('', 2)).toEqual([['', '']]);
  expect(cellsOf('1, 2, 3', 2)).toBeNull();
  expect(cellsOf('[[1, 2]]', 2)).toBeNull();
  expect(cellsOf('1, 2\n'.repeat(51), 2)).toBeNull();
});

test('a block is pasted from its cell on, over what was there, and adds the rows it needs', () => {
  const cells = [['1', '2', '3']];
  expect(pasteInto(cells, 0, 1, '7\t8\t9\n4\t5')).toEqual([
    ['1', '7', '8'],
    ['0', '4', '5'],
  ]);
  expect([isBlock('7'), isBlock(' 7 \n'), isBlock('7,8'), isBlock('7\n8')]).toEqual([false, false, true, true]);
});
