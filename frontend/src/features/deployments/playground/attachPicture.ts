import type { TensorSpec } from '@/lib/tensors';

import type { Attachment, Picture } from './form';
import { imageLayoutOf, tensorOfPixels } from './image';
import { pixelsOf } from './pixels';

/** A picture as an input's tensor. Rejects with a sentence for people when it cannot be one. */
export async function attachPicture(spec: TensorSpec, picture: Picture, label: string): Promise<Attachment> {
  const layout = imageLayoutOf(spec);
  if (!layout) throw new Error(`${spec.name} takes no picture.`);
  const pixels = await pixelsOf(picture.file, layout, picture.fit);
  return { tensor: tensorOfPixels(spec, layout, pixels, picture.scale), label, picture };
}
