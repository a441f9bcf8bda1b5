/** A file decoded and resized, with what is kept of every image: sums for statistics, a checksum. */
import { crc32 } from 'node:zlib';
import { type ChannelSums, channelSums } from './channelSums.ts';
import { readImage } from './decode.ts';
import { perceptualHash } from './perceptualHash.ts';
import { resizeRows } from './resize.ts';
import type { ImageSource, RowReader } from './rows.ts';

/** Changes whenever decoding or resizing gives other pixels: old caches are then not used. */
export const pixelVersion = 2;

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
  return inTurn(() => decode(maxPixels, (rows) => resized(rows, resize)));
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

function resized(rows: RowReader, resize: number): ResizedImage {
  const pixels = resizeRows(rows, resize);
  return {
    pixels,
    checksum: crc32(pixels),
    sums: channelSums(pixels),
    look: perceptualHash(pixels, resize),
    width: rows.width,
    height: rows.height,
    source: rows.source ?? { format: 'unknown', channels: 0, bits: 0 },
  };
}
