/** The flat file of resized images: whether it is still what was written. */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, utimes } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { ImageTable, PixelStamp, StoredTable } from './imageTable.ts';

/** Images compared at once. */
const chunk = 64;

/** An open pixel file, or why it cannot be used; neither where there is none. */
export interface OpenedPixels {
  file?: FileHandle;
  /** True where every image was just compared with its checksum. */
  verified?: boolean;
  /** What is wrong with it. */
  damage?: string;
}

/**
 * Opens the pixel file of a table. One that was touched since it was made is compared image by image;
 * of the others, the size and the times are proof enough (and each image is compared when it is read).
 * @param length bytes of an image.
 */
export async function openPixels(
  path: string,
  { table, pixels }: Pick<StoredTable, 'table' | 'pixels'>,
  length: number,
): Promise<OpenedPixels> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return {};
  try {
    const stamp = stampFrom(await file.stat({ bigint: true }));
    const expected = table.length * length;
    if (stamp.bytes !== expected) {
      await file.close();
      return { damage: `it has ${stamp.bytes} bytes instead of ${expected}` };
    }
    const untouched = stamp.modified === pixels?.modified && stamp.changed === pixels.changed;
    if (untouched) return { file };
    const damaged = await countDamaged(file, table, length);
    if (damaged === 0) return { file, verified: true };
    await file.close();
    return { damage: `${damaged} of ${table.length} images differ` };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Size and times of the pixel file. */
export async function stampOf(path: string): Promise<PixelStamp> {
  const file = await open(path, 'r');
  try {
    return stampFrom(await file.stat({ bigint: true }));
  } finally {
    await file.close();
  }
}

function stampFrom({ size, mtimeNs, ctimeNs }: BigIntStats): PixelStamp {
  return { bytes: Number(size), modified: String(mtimeNs), changed: String(ctimeNs) };
}

/** Marks a pixel file in which damage was found, so that whoever opens it next compares all of it. */
export async function distrust(path: string): Promise<void> {
  // A file that cannot be marked is found out again by its checksums.
  await utimes(path, new Date(), new Date()).catch(() => undefined);
}

async function countDamaged(file: FileHandle, table: ImageTable, length: number): Promise<number> {
  const buffer = Buffer.alloc(chunk * length);
  let damaged = 0;
  for (let start = 0; start < table.length; start += chunk) {
    const count = Math.min(chunk, table.length - start);
    await file.read(buffer, 0, count * length, start * length);
    for (let at = 0; at < count; at++) {
      const record = table[start + at];
      if (typeof record !== 'object') continue;
      if (crc32(buffer.subarray(at * length, (at + 1) * length)) !== record.checksum) damaged++;
    }
  }
  return damaged;
}
