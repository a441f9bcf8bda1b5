/**
 * What is known of every image of a data set at one size: its checksum, channel sums and looks, or why
 * it is no image. Kept in the cache folder so that a data set is examined once.
 */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { z } from 'zod';
import { hashText, writeFileWhole } from '../../util/index.ts';
import type { DataSet } from '../dataSet.ts';
import { type ImageRecord, pixelVersion } from './resizedImage.ts';

/** For each sample a record, or the reason why its file is no usable image. */
export type ImageTable = (ImageRecord | string)[];

const size = z.int().min(0);
/** Checksum, six sums, looks, width, height, format, channels, bits. */
const rowSchema = z.union([
  z.string(),
  z.tuple([
    size,
    size,
    size,
    size,
    size,
    size,
    size,
    z.string(),
    size,
    size,
    z.string(),
    size,
    size,
  ]),
]);

/** The pixel file as it was left: whoever writes to it changes these. */
const stampSchema = z.strictObject({ bytes: size, modified: z.string(), changed: z.string() });

export type PixelStamp = z.infer<typeof stampSchema>;

/** For people who look through the cache. */
const aboutSchema = z.strictObject({
  name: z.string(),
  root: z.string(),
  images: size,
  resize: size,
});

export type TableAbout = z.infer<typeof aboutSchema>;

const fileSchema = z.strictObject({
  format: z.literal(2),
  key: z.string(),
  about: aboutSchema,
  /** Absent where pixels were not kept. */
  pixels: stampSchema.optional(),
  /** SHA-256 of all else as JSON. */
  check: z.string(),
  rows: z.array(rowSchema),
});

export interface StoredTable {
  about: TableAbout;
  table: ImageTable;
  pixels?: PixelStamp;
}

/**
 * Names the resized images of a data set: their contents in order, the size, and all that decides
 * about pixels. Labels and splits are no part, so that runs with others share them.
 */
export function imagesKey(dataset: DataSet, resize: number, maxPixels: number): string {
  const settings = [2, pixelVersion, sharp.versions.sharp, sharp.versions.vips, resize, maxPixels];
  const files = dataset.samples.map(({ hash }) => hash);
  return hashText([JSON.stringify(settings), ...files].join('\n')).slice(0, 40);
}

/** The table stored under `path`, or `undefined` where it is absent, damaged or of something else. */
export async function readImageTable(path: string, key?: string): Promise<StoredTable | undefined> {
  try {
    const file = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    if (key !== undefined && file.key !== key) return undefined;
    const { about, pixels } = file;
    if (file.check !== checkOf(about, pixels, file.rows)) return undefined;
    return { about, ...(pixels ? { pixels } : {}), table: file.rows.map(recordOf) };
  } catch {
    return undefined;
  }
}

/** Writes the table, whole or not at all. */
export async function writeImageTable(
  path: string,
  key: string,
  { about, table, pixels }: StoredTable,
): Promise<void> {
  const rows = table.map(rowOf);
  const check = checkOf(about, pixels, rows);
  await writeFileWhole(path, JSON.stringify({ format: 2, key, about, pixels, check, rows }));
}

type Row = z.infer<typeof rowSchema>;

function checkOf(about: TableAbout, pixels: PixelStamp | undefined, rows: readonly Row[]): string {
  return hashText(JSON.stringify([about, pixels ?? null, rows]));
}

function rowOf(record: ImageRecord | string): Row {
  if (typeof record === 'string') return record;
  const { checksum, sums, look, width, height, source } = record;
  return [checksum, ...sums, look, width, height, source.format, source.channels, source.bits];
}

function recordOf(row: Row): ImageRecord | string {
  if (typeof row === 'string') return row;
  const [checksum, a, b, c, d, e, f, look, width, height, format, channels, bits] = row;
  const source = { format, channels, bits };
  return { checksum, sums: [a, b, c, d, e, f], look, width, height, source };
}
