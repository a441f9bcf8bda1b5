/** Texts that are equal where two networks have the same tensors, but for their number of blocks. */
import type { ResNetArchitecture } from './resnet.ts';
import type { SwinArchitecture } from './swinTransformer.ts';
import type { VisionTransformerArchitecture } from './visionTransformer.ts';

export function resnetSignature({ block, layers, width }: ResNetArchitecture): string {
  return `resnet ${block} ${layers.join('-')} ${width}`;
}

export const inceptionSignature = 'inception';

/** Without the number of blocks, because a vision transformer may be truncated. */
export function visionTransformerSignature({
  width,
  patchSize,
}: Pick<VisionTransformerArchitecture, 'width' | 'patchSize'>): string {
  return `vit ${width} ${patchSize}`;
}

export function swinSignature({ width, depths, heads, patchSize }: SwinArchitecture): string {
  return `swin ${width} ${depths.join('-')} ${heads.join('-')} ${patchSize}`;
}
