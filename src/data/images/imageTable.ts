/**
 * What is known of every image of a data set at one size: its checksum and channel sums, or why it is
 * no image. Kept in the cache folder so that a data set is examined once.
 */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { z } from 'zod';
import { hashText, writeFileWhole } from '../../util/index.ts';
import type { DataSet } from '../dataSet.ts';
import { type ChannelSums, pixelVersion } from './resizedImage.ts';

/** A good image: CRC-32 of its resized pixels, and its channel sums. */
export interface ImageRecord {
  checksum: number;
  sums: ChannelSums;
}

/** For each sample a record, or the reason why its file is no usable image. */
export type ImageTable = (ImageRecord | string)[];

const rowSchema = z.union([
  z.string(),
  z.tuple([z.int(), z.int(), z.int(), z.int(), z.int(), z.int(), z.int()]),
]);

const fileSchema = z.strictObject({
  format: z.literal(1),
  key: z.string(),
  /** SHA-256 of the rows as JSON. */
  check: z.string(),
  rows: z.array(rowSchema),
});

/**
 * Names the resized images of a data set: their contents in order, the size, and all that decides
 * about pixels. Labels and splits are no part, so that runs with others share them.
 */
export function imagesKey(dataset: DataSet, resize: number, maxPixels: number): string {
  const settings = [pixelVersion, sharp.versions.sharp, sharp.versions.vips, resize, maxPixels];
  const files = dataset.samples.map(({ hash }) => hash);
  return hashText([JSON.stringify(settings), ...files].join('\n')).slice(0, 40);
}

/** The table stored under `path`, or `undefined` where it is absent, damaged or of something else. */
export async function readImageTable(
  path: string,
  key: string,
  count: number,
): Promise<ImageTable | undefined> {
  try {
    const file = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    const sound = file.key === key && file.rows.length === count;
    if (!sound || file.check !== hashText(JSON.stringify(file.rows))) return undefined;
    return file.rows.map((row) => {
      if (typeof row === 'string') return row;
      const [checksum, ...sums] = row;
      return { checksum, sums };
    });
  } catch {
    return undefined;
  }
}

/** Writes the table, whole or not at all. */
export async function writeImageTable(path: string, key: string, table: ImageTable): Promise<void> {
  const rows = table.map((row) => (typeof row === 'string' ? row : [row.checksum, ...row.sums]));
  const check = hashText(JSON.stringify(rows));
  await writeFileWhole(path, JSON.stringify({ format: 1, key, check, rows }));
}
