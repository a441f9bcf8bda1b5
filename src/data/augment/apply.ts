/** From a batch of resized pictures to what a network sees, on the device of the batch. */
import { fromTypedArray, noGrad, ops, scope, type Tensor } from '../../tensor/index.ts';
import { adjustColour } from './colour.ts';
import { type CropBox, centreCrop, type ImageChange } from './draw.ts';

export interface Normalisation {
  /** Of each channel, on a scale of 0 to 1. */
  mean: readonly number[];
  std: readonly number[];
}

/**
 * Centre crops, as networks are evaluated.
 * @param pixels [B, R, R, 3] uint8. @returns [B, 3, size, size] float32, normalised, channels-last.
 */
export function evaluationBatch(pixels: Tensor, size: number, norm: Normalisation): Tensor {
  return scope(() =>
    noGrad(() => {
      const { top, left } = centreCrop(pixels.shape[1] ?? 0, size);
      const rows = ops.narrow(pixels, 1, top, size);
      const view = ops.permute(ops.narrow(rows, 2, left, size), [0, 3, 1, 2]);
      return normalise(view, norm);
    }),
  );
}

/**
 * Each image cropped, flipped and coloured as `changes` says.
 * @param pixels [B, R, R, 3] uint8. @returns [B, 3, size, size] float32, normalised, channels-last.
 */
export function trainingBatch(
  pixels: Tensor,
  changes: readonly ImageChange[],
  size: number,
  norm: Normalisation,
): Tensor {
  return scope(() => noGrad(() => normalise(changedImages(pixels, changes, size), norm, 1)));
}

/** As {@link trainingBatch}, before normalisation: [B, 3, size, size] float32 from 0 to 1. */
export function changedImages(
  pixels: Tensor,
  changes: readonly ImageChange[],
  size: number,
): Tensor {
  return scope(() => {
    const result = ops.empty([changes.length, 3, size, size], {
      dtype: 'float32',
      device: pixels.device,
    });
    changes.forEach((change, position) => {
      scope(() => {
        const image = changeOne(ops.select(pixels, 0, position), change, size);
        ops.copy_(ops.select(result, 0, position), image);
      });
    });
    return result;
  });
}

/** [R, R, 3] uint8 to [3, size, size] float32 from 0 to 1. */
function changeOne(pixels: Tensor, change: ImageChange, size: number): Tensor {
  const { crop, flipHorizontal, flipVertical, colour } = change;
  const cropped = resizedCrop(pixels, crop, size);
  const axes = [...(flipVertical ? [1] : []), ...(flipHorizontal ? [2] : [])];
  const flipped = axes.length > 0 ? ops.flip(cropped, axes) : cropped;
  return colour.length > 0 ? adjustColour(flipped, colour) : flipped;
}

/** torchvision's `resized_crop` with antialiasing; a crop of the right size is left as it is. */
function resizedCrop(pixels: Tensor, { top, left, height, width }: CropBox, size: number): Tensor {
  const rows = ops.narrow(pixels, 0, top, height);
  const view = ops.permute(ops.narrow(rows, 1, left, width), [2, 0, 1]);
  const image = ops.div_(view.to({ dtype: 'float32', memoryFormat: 'contiguous' }), 255);
  if (height === size && width === size) return image;
  return ops.squeeze(
    ops._upsampleBilinear2dAa(ops.unsqueeze(image, 0), [size, size], false, undefined, undefined),
    0,
  );
}

/**
 * (x / top - mean) / std by channel, as float32 in channels-last memory.
 * @param x [B, 3, H, W] with values from 0 to `top`.
 */
function normalise(x: Tensor, { mean, std }: Normalisation, top = 255): Tensor {
  const perChannel = (values: readonly number[]): Tensor =>
    fromTypedArray(Float32Array.from(values), [1, 3, 1, 1], { device: x.device });
  const factors = perChannel(std.map((value) => 1 / (top * value)));
  const offsets = perChannel(mean.map((value, channel) => value / (std[channel] ?? 1)));
  const held = x.to({ dtype: 'float32', memoryFormat: 'channelsLast', copy: true });
  return ops.sub_(ops.mul_(held, factors), offsets);
}
