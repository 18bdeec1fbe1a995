import { expect, test } from 'vitest';

import { imageLayoutOf, placeFor, targetSize, tensorOfPixels } from './image';

const spec = (shape: number[], datatype = 'FP32') => ({ name: 'image', datatype, shape });

test.each([
  [[-1, 3, 224, 224], { channels: 3, height: 224, width: 224, isChannelsFirst: true }],
  [[1, 3, -1, -1], { channels: 3, height: -1, width: -1, isChannelsFirst: true }],
  [[-1, 28, 28, 1], { channels: 1, height: 28, width: 28, isChannelsFirst: false }],
  [[-1, 4, 32, 32], null],
  [[-1, 3, 3, 3], null],
  [[8, 3, 32, 32], null],
  [[-1, 64], null],
])('an input of shape %j takes a picture as %j', (shape, layout) => {
  expect(imageLayoutOf(spec(shape))).toEqual(layout);
});

test('whole numbers of other widths take no picture', () => {
  expect(imageLayoutOf(spec([-1, 3, 32, 32], 'INT64'))).toBeNull();
});

const RED_THEN_GREY = { width: 2, height: 1, data: [255, 0, 0, 255, 51, 51, 51, 255] };

test('channels come first or last, as the input has them', () => {
  const first = { channels: 3, height: 1, width: 2, isChannelsFirst: true } as const;
  expect(tensorOfPixels(spec([-1, 3, 1, 2]), first, RED_THEN_GREY, 'unit')).toEqual({ shape: [1, 3, 1, 2], data: [1, 0.2, 0, 0.2, 0, 0.2] });
  const last = { ...first, isChannelsFirst: false } as const;
  expect(tensorOfPixels(spec([-1, 1, 2, 3]), last, RED_THEN_GREY, 'unit')).toEqual({ shape: [1, 1, 2, 3], data: [1, 0, 0, 0.2, 0.2, 0.2] });
});

test('one channel is brightness, and bytes stay bytes', () => {
  const layout = { channels: 1, height: 1, width: 2, isChannelsFirst: true } as const;
  expect(tensorOfPixels(spec([-1, 1, 1, 2], 'UINT8'), layout, RED_THEN_GREY, 'unit').data).toEqual([76, 51]);
});

test.each([
  ['byte', [255, 51]],
  ['signed', [1, -0.6]],
  ['imagenet', [2.248908, -1.244541]],
] as const)('a scale of %s', (scale, data) => {
  const layout = { channels: 3, height: 1, width: 2, isChannelsFirst: true } as const;
  expect(tensorOfPixels(spec([-1, 3, 1, 2]), layout, RED_THEN_GREY, scale).data.slice(0, 2)).toEqual(data);
});

test("a free size is the picture's own, as far as a request has room", () => {
  const layout = { channels: 3, height: -1, width: -1, isChannelsFirst: true } as const;
  expect(targetSize(layout, 300, 200)).toEqual({ width: 300, height: 200 });
  expect(targetSize(layout, 4480, 2240)).toEqual({ width: 448, height: 224 });
  expect(targetSize({ ...layout, height: 224, width: 224 }, 4480, 2240)).toEqual({ width: 224, height: 224 });
});

test('other proportions are cropped, padded or stretched', () => {
  const into = { width: 100, height: 100 };
  expect(placeFor('crop', { width: 200, height: 100 }, into)).toEqual([-50, 0, 200, 100]);
  expect(placeFor('pad', { width: 200, height: 100 }, into)).toEqual([0, 25, 100, 50]);
  expect(placeFor('stretch', { width: 200, height: 100 }, into)).toEqual([0, 0, 100, 100]);
});
