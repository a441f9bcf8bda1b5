/** The first reading of all images of a data set. */
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mapBounded } from '../../util/index.ts';
import type { DataSet } from '../dataSet.ts';
import { BadImageError } from './badImage.ts';
import { staleMilliseconds } from './buildLock.ts';
import type { DecodePool } from './decodePool.ts';
import type { ImageTable } from './imageTable.ts';

export interface ScanOptions {
  resize: number;
  maxPixels: number;
  /** Where the pixels of all images go, one after another in the data set's order; zeros for bad ones. */
  pixelsPath?: string;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Decodes every image once. The pixel file is complete, synced and then renamed into place. The
 * caller holds the lock of that file: what killed processes left unfinished is removed.
 */
export async function scanImages(
  dataset: DataSet,
  pool: DecodePool,
  options: ScanOptions,
): Promise<ImageTable> {
  const { pixelsPath } = options;
  if (pixelsPath === undefined) return scan(dataset, pool, options, undefined);
  await removeUnfinished(pixelsPath);
  const temporary = `${pixelsPath}.${process.pid}.unfinished`;
  const file = await open(temporary, 'w');
  try {
    const table = await scan(dataset, pool, options, file);
    await file.truncate(dataset.samples.length * options.resize * options.resize * 3);
    await file.sync();
    await file.close();
    await rename(temporary, pixelsPath);
    return table;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

async function scan(
  dataset: DataSet,
  pool: DecodePool,
  { resize, maxPixels, onProgress, signal }: ScanOptions,
  file: FileHandle | undefined,
): Promise<ImageTable> {
  const length = resize * resize * 3;
  let done = 0;
  return mapBounded(dataset.samples, pool.capacity, async ({ path }, index) => {
    signal?.throwIfAborted();
    try {
      const { pixels, ...record } = await pool.read(path, resize, maxPixels);
      await file?.write(pixels, 0, length, index * length);
      return record;
    } catch (error) {
      if (error instanceof BadImageError) return error.message;
      throw error;
    } finally {
      done++;
      onProgress?.(done, dataset.samples.length);
    }
  });
}

async function removeUnfinished(pixelsPath: string): Promise<void> {
  const folder = dirname(pixelsPath);
  const isUnfinished = (name: string): boolean =>
    name.startsWith(basename(pixelsPath)) && name.endsWith('.unfinished');
  for (const name of (await readdir(folder)).filter(isUnfinished)) {
    const path = join(folder, name);
    // One that is still written to belongs to a process that lost its lock by being slow.
    if (Date.now() - (await stat(path)).mtimeMs > staleMilliseconds)
      await rm(path, { force: true });
  }
}
