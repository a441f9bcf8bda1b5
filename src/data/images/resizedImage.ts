/** A file decoded and resized, with what is kept of every image: sums for statistics, a checksum. */
import { crc32 } from 'node:zlib';
import { readImage } from './decode.ts';
import { perceptualHash } from './perceptualHash.ts';
import { type ImageSource, type RgbImage, resizeSquare } from './resize.ts';

/** Changes whenever decoding or resizing gives other pixels: old caches are then not used. */
export const pixelVersion = 2;

/** [sum of red, green, blue, sum of their squares] over all pixels, in levels of 0 to 255. */
export type ChannelSums = [number, number, number, number, number, number];

/** What is known of a picture besides its pixels. */
export interface ImageRecord {
  /** CRC-32 of the resized pixels. */
  checksum: number;
  sums: ChannelSums;
  /** See `perceptualHash`. */
  look: string;
  /** Of the picture in its file, in pixels. */
  width: number;
  height: number;
  source: ImageSource;
}

export interface ResizedImage extends ImageRecord {
  /** resize × resize × 3 bytes. */
  pixels: Uint8Array<ArrayBuffer>;
}

/** @throws BadImageError */
export async function readResized(
  path: string,
  resize: number,
  maxPixels: number,
): Promise<ResizedImage> {
  const decode = await readImage(path);
  return inTurn(async () => resized(await decode(maxPixels), resize));
}

let last: Promise<unknown> = Promise.resolve();

/**
 * A thread decodes and resizes one picture after another, while files are read for the next: two at once
 * would push each other's pixels out of the processor's cache, which costs a tenth of the time.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => undefined);
  return result;
}

function resized(image: RgbImage, resize: number): ResizedImage {
  const pixels = resizeSquare(image, resize);
  return {
    pixels,
    checksum: crc32(pixels),
    sums: channelSums(pixels),
    look: perceptualHash(pixels, resize),
    width: image.width,
    height: image.height,
    source: image.source ?? { format: 'unknown', channels: 0, bits: 0 },
  };
}

/** Exact: every sum is an integer below 2^53. */
function channelSums(pixels: Uint8Array): ChannelSums {
  const sums: ChannelSums = [0, 0, 0, 0, 0, 0];
  let [red, green, blue, red2, green2, blue2] = sums;
  for (let at = 0; at < pixels.length; at += 3) {
    const r = pixels[at] as number;
    const g = pixels[at + 1] as number;
    const b = pixels[at + 2] as number;
    red += r;
    green += g;
    blue += b;
    red2 += r * r;
    green2 += g * g;
    blue2 += b * b;
  }
  return [red, green, blue, red2, green2, blue2];
}
