/** From a batch of resized pictures to what a network sees, on the device of the batch. */
import { fromTypedArray, noGrad, ops, scope, type Tensor } from '../../tensor/index.ts';
import { adjustColours } from './colour.ts';
import { type ColourChange, centreCrop, type ImageChange } from './draw.ts';
import { lineOf, type Normalisation } from './line.ts';
import { luminanceWeights } from './luminance.ts';
import { warp } from './warp.ts';

/**
 * Centre crops, as networks are evaluated.
 * @param pixels [B, R, R, 3] uint8. @returns [B, C, size, size] float32, normalised, channels-last.
 */
export function evaluationBatch(pixels: Tensor, size: number, norm: Normalisation): Tensor {
  return scope(() =>
    noGrad(() => {
      const { top, left } = centreCrop(pixels.shape[1] ?? 0, size);
      const rows = ops.narrow(pixels, 1, top, size);
      const crops = ops.narrow(rows, 2, left, size);
      if (norm.mean.length === 1) return normalise(ops.permute(crops, [0, 3, 1, 2]), norm);
      const held = crops.to({ dtype: 'float32', copy: true }).contiguous();
      const { factors, offsets } = lineOf(norm, size, 255);
      const { device } = pixels;
      // Whole lines at a time: a factor for each of three channels alone would be slow.
      const lines = ops.reshape(held, [pixels.shape[0] ?? 0, size, size * 3]);
      ops.mul_(lines, fromTypedArray(factors, [size * 3], { device }));
      ops.sub_(lines, fromTypedArray(offsets, [size * 3], { device }));
      return ops.permute(held, [0, 3, 1, 2]);
    }),
  );
}

/**
 * Each image cropped, flipped and coloured as `changes` says.
 * @param pixels [B, R, R, 3] uint8. @returns [B, C, size, size] float32, normalised, channels-last.
 */
export function trainingBatch(
  pixels: Tensor,
  changes: readonly ImageChange[],
  size: number,
  norm: Normalisation,
): Tensor {
  const { mean, std } = norm;
  return scope(() =>
    noGrad(() => {
      if (mean.length === 1) return normalise(changedImages(pixels, changes, size), norm, 1);
      const plain = std.map((value) => 1 / (255 * value));
      return warp(pixels, changes, {
        size,
        factors: ({ colour }) => (colour.length > 0 ? levels : plain),
        recolour: (images, some) => {
          const changed = adjustColours(images, some.map(colourOf));
          const scales = Float32Array.from(std, (value) => 1 / value);
          return ops.mul(changed, fromTypedArray(scales, [3, 1, 1], { device: pixels.device }));
        },
        offsets: mean.map((value, channel) => value / (std[channel] ?? 1)),
      });
    }),
  );
}

/**
 * Numbers copied into a tensor at once: below LibTorch's grain size (ATen/Parallel.h), so that it does
 * not wake its threads, which after a copy spin on cores that augmentation needs.
 */
const copiedAtOnce = 32_000;

/**
 * A batch of what `augmentImages` made: normalised images, or for networks of one channel their levels.
 * @param images [B, size, size, 3]. @returns as {@link trainingBatch}, of its own memory.
 */
export function augmentedBatch(images: Float32Array, size: number, norm: Normalisation): Tensor {
  return scope(() =>
    noGrad(() => {
      const result = ops.empty([images.length], { dtype: 'float32' });
      ops.split(result, copiedAtOnce).forEach((piece, at) => {
        const part = images.subarray(at * copiedAtOnce, (at + 1) * copiedAtOnce);
        scope(() => ops.copy_(piece, fromTypedArray(part, [part.length])));
      });
      const count = images.length / (size * size * 3);
      const turned = ops.permute(ops.reshape(result, [count, size, size, 3]), [0, 3, 1, 2]);
      return norm.mean.length === 1 ? normalise(turned, norm, 1) : turned;
    }),
  );
}

/** As {@link trainingBatch}, before normalisation: [B, 3, size, size] float32 from 0 to 1. */
export function changedImages(
  pixels: Tensor,
  changes: readonly ImageChange[],
  size: number,
): Tensor {
  return warp(pixels, changes, {
    size,
    factors: () => levels,
    recolour: (images, some) => adjustColours(images, some.map(colourOf)),
  });
}

function colourOf({ colour }: ImageChange): ColourChange {
  return colour;
}

/** From levels of 0 to 255 to 0 to 1, in each channel. */
const levels = [1 / 255, 1 / 255, 1 / 255] as const;

/**
 * (x / top - mean) / std by channel, as float32 in channels-last memory; of the luminance where there is
 * one mean.
 * @param x [B, 3, H, W] with values from 0 to `top`. @returns [B, C, H, W] for C means.
 */
function normalise(x: Tensor, { mean, std }: Normalisation, top = 255): Tensor {
  const factors = perChannel(
    std.map((value) => 1 / (top * value)),
    x,
  );
  const offsets = perChannel(
    mean.map((value, channel) => value / (std[channel] ?? 1)),
    x,
  );
  const channels = mean.length === 1 ? luminance(x) : x;
  const held = channels.to({ dtype: 'float32', memoryFormat: 'channelsLast', copy: true });
  return ops.sub_(ops.mul_(held, factors), offsets);
}

/** [B, 3, H, W] of any type to float32 [B, 1, H, W]; grey pictures keep their value. */
function luminance(x: Tensor): Tensor {
  const weighted = ops.mul(x.to({ dtype: 'float32' }), perChannel(luminanceWeights, x));
  return ops.sum(weighted, [1], true);
}

/** One number a channel, [1, C, 1, 1], on the device of `like`. */
function perChannel(values: readonly number[], like: Tensor): Tensor {
  const shape = [1, values.length, 1, 1];
  return fromTypedArray(Float32Array.from(values), shape, { device: like.device });
}
