/** A file decoded and resized, with what is kept of every image: sums for statistics, a checksum. */
import { crc32 } from 'node:zlib';
import { decodeImage } from './decode.ts';
import { resizeSquare } from './resize.ts';

/** Changes whenever decoding or resizing gives other pixels: old caches are then not used. */
export const pixelVersion = 1;

/** [sum of red, green, blue, sum of their squares] over all pixels, in levels of 0 to 255. */
export type ChannelSums = [number, number, number, number, number, number];

export interface ResizedImage {
  /** resize × resize × 3 bytes. */
  pixels: Uint8Array<ArrayBuffer>;
  sums: ChannelSums;
  checksum: number;
}

/** @throws BadImageError */
export async function readResized(
  path: string,
  resize: number,
  maxPixels: number,
): Promise<ResizedImage> {
  const image = await decodeImage(path, maxPixels);
  const pixels = resizeSquare(image, resize);
  return { pixels, sums: channelSums(pixels), checksum: crc32(pixels) };
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
