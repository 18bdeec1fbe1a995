/** Reading a picture file by the browser's own decoder. */
import { type Fit, type ImageLayout, type Pixels, placeFor, targetSize } from './image';

/** The pixels of a picture, brought to the size that `layout` asks for. Rejects what the browser cannot read. */
export async function pixelsOf(file: Blob, layout: ImageLayout, fit: Fit): Promise<Pixels> {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) throw new Error('This file is no picture that the browser can read.');
  const { width, height } = targetSize(layout, picture.width, picture.height);
  const drawn = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!drawn) throw new Error('The browser gives no canvas to draw the picture on.');
  drawn.fillRect(0, 0, width, height);
  drawn.drawImage(picture, ...placeFor(fit, picture, { width, height }));
  picture.close();
  return { width, height, data: drawn.getImageData(0, 0, width, height).data };
}
