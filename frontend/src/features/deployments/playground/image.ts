/** Which inputs take a picture, and a picture's pixels as the tensor they take. */
import type { TensorSpec } from '@/lib/tensors';

import type { Tensor } from './tensorText';

/** How an input wants its pixels; a size below 0 is free. */
export interface ImageLayout {
  channels: 1 | 3;
  height: number;
  width: number;
  isChannelsFirst: boolean;
}

/** RGBA, row by row. */
export interface Pixels {
  width: number;
  height: number;
  data: ArrayLike<number>;
}

/** What a whole byte becomes (ImageNet: less its mean, over its deviation); whole-number inputs always take the bytes. */
export const SCALES = [
  { value: 'unit', label: '0 to 1' },
  { value: 'signed', label: '−1 to 1' },
  { value: 'byte', label: '0 to 255' },
  { value: 'imagenet', label: 'ImageNet' },
] as const;
export type Scale = (typeof SCALES)[number]['value'];

/** How a picture of other proportions is fitted in: without its edges, with black around it, or out of shape. */
export const FITS = [
  { value: 'crop', label: 'Crop' },
  { value: 'pad', label: 'Pad' },
  { value: 'stretch', label: 'Stretch' },
] as const;
export type Fit = (typeof FITS)[number]['value'];

/** Longest side of a picture whose size the input leaves free, px: it must fit into one request. */
const LONGEST_SIDE = 448;
/** What is smaller is no picture but a kernel or a table. */
const SHORTEST_SIDE = 8;

/** [any, channels, height, width] or [any, height, width, channels], of one or three channels; null for every other input. */
export function imageLayoutOf({ datatype, shape }: TensorSpec): ImageLayout | null {
  const [batch = 0, a = 0, b = 0, c = 0] = shape;
  if (shape.length !== 4 || batch > 1 || !(datatype.startsWith('FP') || datatype === 'UINT8')) return null;
  if (isChannels(a) && isSide(b) && isSide(c)) return { channels: a, height: b, width: c, isChannelsFirst: true };
  if (isChannels(c) && isSide(a) && isSide(b)) return { channels: c, height: a, width: b, isChannelsFirst: false };
  return null;
}

const isChannels = (size: number): size is 1 | 3 => size === 1 || size === 3;
const isSide = (size: number): boolean => size < 0 || size >= SHORTEST_SIDE;

/** The size a picture of `width` × `height` is brought to. */
export function targetSize(layout: ImageLayout, width: number, height: number): { width: number; height: number } {
  const shrink = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const free = (size: number, natural: number) => (size < 0 ? Math.max(1, Math.round(natural * shrink)) : size);
  return { width: free(layout.width, width), height: free(layout.height, height) };
}

/** Where on a canvas of `into` the picture `from` is drawn. */
export function placeFor(fit: Fit, from: { width: number; height: number }, into: { width: number; height: number }): [x: number, y: number, width: number, height: number] {
  if (fit === 'stretch') return [0, 0, into.width, into.height];
  const ratios = [into.width / from.width, into.height / from.height];
  const ratio = fit === 'crop' ? Math.max(...ratios) : Math.min(...ratios);
  const [width, height] = [from.width * ratio, from.height * ratio];
  return [(into.width - width) / 2, (into.height - height) / 2, width, height];
}

export function tensorOfPixels({ datatype }: TensorSpec, { channels, isChannelsFirst }: ImageLayout, { width, height, data }: Pixels, scale: Scale): Tensor {
  const count = width * height;
  const used: Scale = datatype === 'UINT8' ? 'byte' : scale;
  const valueAt = (pixel: number, channel: number): number => scaled(channels === 1 ? luma(data, pixel * 4) : (data[pixel * 4 + channel] ?? 0), used, channel);
  const place = isChannelsFirst ? (at: number) => valueAt(at % count, Math.floor(at / count)) : (at: number) => valueAt(Math.floor(at / channels), at % channels);
  return { shape: isChannelsFirst ? [1, channels, height, width] : [1, height, width, channels], data: Array.from({ length: count * channels }, (_, at) => place(at)) };
}

/** Brightness as television weighs it (ITU-R BT.601). */
const luma = (data: ArrayLike<number>, at: number): number => Math.round(0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0));

// The values torchvision's pretrained models are trained with.
const MEANS = [0.485, 0.456, 0.406];
const DEVIATIONS = [0.229, 0.224, 0.225];

/** Six decimals are finer than a byte's steps, and a third of the text. */
function scaled(byte: number, scale: Scale, channel: number): number {
  if (scale === 'byte') return byte;
  if (scale === 'unit') return rounded(byte / 255);
  if (scale === 'signed') return rounded(byte / 127.5 - 1);
  return rounded((byte / 255 - (MEANS[channel] ?? 0)) / (DEVIATIONS[channel] ?? 1));
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
