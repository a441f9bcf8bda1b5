/**
 * Plain JPEG files, which are nearly all there are, decoded as their rows are asked for: 8-bit grey or
 * colour, baseline or progressive, upright and without any defect. The pixels are those that sharp gives.
 */
import { checkPixelCount } from './badImage.ts';
import { jpegAddon } from './jpegAddon.ts';
import { readJpegHead } from './jpegHead.ts';
import type { RowReader } from './rows.ts';

/** Ends the reading of a file that is not flawless after all. */
class DefectError extends Error {}

/**
 * What `use` makes of the picture's rows, all of which it reads; `undefined` where this is no plain
 * JPEG file or cannot be decoded here, even if that turns out half way.
 * @throws BadImageError for more pixels than are allowed.
 */
export function readPlainJpeg<Result>(
  bytes: Uint8Array,
  maxPixels: number,
  use: (rows: RowReader) => Result,
): Result | undefined {
  const head = readJpegHead(bytes);
  const addon = head?.isUpright ? jpegAddon() : undefined;
  if (!head || !addon) return undefined;
  const { width, height, channels } = head;
  checkPixelCount(width, height, maxPixels);
  if (!addon.begin(bytes, width, height)) return undefined;
  let isFlawless = false;
  try {
    const source = { format: 'jpeg', channels, bits: 8 };
    const result = use({ width, height, source, read: readRows });
    isFlawless = addon.end();
    return isFlawless ? result : undefined;
  } catch (error) {
    if (error instanceof DefectError) return undefined;
    throw error;
  } finally {
    if (!isFlawless) addon.end();
  }
  function readRows(target: Uint8Array, stride: number, count: number): void {
    if (!addon?.read(target, stride, count)) throw new DefectError();
  }
}
