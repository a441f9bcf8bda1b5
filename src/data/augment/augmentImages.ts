/** The training images of a batch, or of a part of one, on the CPU. */
import { drawChange } from './draw.ts';
import type { AugmentSettings } from './settings.ts';
import { warpImage } from './warpImage.ts';

export interface AugmentRequest {
  augment: AugmentSettings;
  seed: number;
  epoch: number;
  /** Positions of the samples in the data set. */
  indices: readonly number[];
  /** Pixels of a side of the pictures and of the images. */
  resize: number;
  size: number;
  /** Of each channel, on a scale of 0 to 1. */
  mean: readonly number[];
  std: readonly number[];
  /** [n, resize, resize, 3] */
  pixels: Uint8Array;
  /** [n, size, size, 3], to be filled. */
  images: Float32Array;
}

/** Fills `images`. */
export function augmentImages(request: AugmentRequest): void {
  const { augment, seed, epoch, indices, resize, size, pixels, images } = request;
  const [from, to] = [resize * resize * 3, size * size * 3];
  indices.forEach((index, at) => {
    const change = drawChange(augment, { resize, size }, { seed, epoch, index });
    const source = pixels.subarray(at * from, (at + 1) * from);
    warpImage(source, resize, change, request, images.subarray(at * to, (at + 1) * to));
  });
}

/** Where the images of `count` samples from `first` on are, of those that the request is about. */
export function partOf(request: AugmentRequest, first: number, count: number): AugmentRequest {
  const { indices, resize, size, pixels, images } = request;
  const [from, to] = [resize * resize * 3, size * size * 3];
  const end = Math.min(first + count, indices.length);
  return {
    ...request,
    indices: indices.slice(first, end),
    pixels: pixels.subarray(first * from, end * from),
    images: images.subarray(first * to, end * to),
  };
}
