/**
 * The resized images of a data set, from wherever they come fastest: a flat file of pixels made once
 * and shared by all runs, or, where that cannot be, the image files themselves, decoded each time.
 */
import { type FileHandle, mkdir, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { RequestError, Turns, WorkError } from '../../util/index.ts';
import { defaultCacheFolder } from '../cacheFolder.ts';
import type { DataSet } from '../dataSet.ts';
import { problemList } from '../problems.ts';
import { isReadFault } from './badImage.ts';
import { withBuildLock } from './buildLock.ts';
import { defaultMaxPixels } from './decode.ts';
import { DecodePool } from './decodePool.ts';
import {
  type ImageTable,
  imagesKey,
  readImageTable,
  type StoredTable,
  writeImageTable,
} from './imageTable.ts';
import { distrust, openPixels, stampOf } from './pixelFile.ts';
import type { ImageRecord } from './resizedImage.ts';
import { scanImages } from './scanImages.ts';

export interface ImageOptions {
  /** Pixels of a side that images are resized to. */
  resize: number;
  /** Decoding threads; 0 decodes in the caller's. Never changes a result. */
  workers: number;
  /** `error`: list all bad images and stop. `skip`: leave them out. */
  onBadImage: 'error' | 'skip';
  /** Keep resized images in a file between epochs and runs; true by default. */
  cache?: boolean;
  /** See `defaultCacheFolder`. */
  cacheFolder?: string;
  /** Images with more pixels are bad ones. */
  maxPixels?: number;
  /** Called while images are read for the first time. */
  onProgress?: (done: number, total: number) => void;
  /** Called with what turns out to be wrong with the cache after the opening. */
  onNote?: (text: string) => void;
  signal?: AbortSignal;
}

interface Paths {
  key: string;
  folder: string;
  table: string;
  pixels: string;
}

/** Tables that could not be stored, by where they belong, so that a process makes them once. */
const unstored = new Map<string, ImageTable>();

/** Tables that this process has read, by where they lie: a run opens a store for each split. */
const known = new WeakMap<DataSet, Map<string, StoredTable>>();

/** Reads of the cache under way at once. */
const cacheReads = 8;

/** Free space that a cache must leave on its disk. */
const spareBytes = 512 * 1024 * 1024;

/** Pixels of a side: resized, an image has 200 MB then. */
const longestSide = 8192;

export class ImageStore {
  readonly bytesPerImage: number;
  /** What a user should know, for example why there is no cache. */
  readonly notes: string[] = [];
  readonly #dataset: DataSet;
  readonly #options: ImageOptions;
  readonly #pool: DecodePool;
  readonly #verified: Uint8Array;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #paths: Paths;
  #table: ImageTable = [];
  #file: FileHandle | undefined;
  /** One line for all batches: the first of an epoch is whole before the others are begun. */
  #turns: Turns | undefined;

  private constructor(dataset: DataSet, options: ImageOptions) {
    const { resize, workers, maxPixels = defaultMaxPixels } = options;
    this.#dataset = dataset;
    this.#options = options;
    this.bytesPerImage = resize * resize * 3;
    this.#pool = new DecodePool(workers);
    this.#verified = new Uint8Array(dataset.samples.length);
    const key = imagesKey(dataset, resize, maxPixels);
    const folder = join(options.cacheFolder ?? defaultCacheFolder(), 'images');
    const [table, pixels] = [join(folder, `${key}.json`), join(folder, `${key}.rgb`)];
    this.#paths = { key, folder, table, pixels };
  }

  /**
   * Examines every image of the data set, or takes what an earlier run found.
   * @throws WorkError that lists bad images, unless they are to be skipped; RequestError for a size that
   *   no memory holds.
   */
  static async open(dataset: DataSet, options: ImageOptions): Promise<ImageStore> {
    const { resize } = options;
    if (resize > longestSide) {
      const expected = `at most ${longestSide} pixels a side`;
      throw new RequestError({ where: 'resize', expected, got: String(resize) });
    }
    const store = new ImageStore(dataset, options);
    try {
      await store.#prepare();
      store.#refuseBad();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** What is known of the sample's image; the reason for none where it is no usable one. */
  record(index: number): ImageRecord | string {
    return this.#table[index] ?? 'no such sample';
  }

  /** Why the sample is no usable image; `undefined` for a good one. */
  badReason(index: number): string | undefined {
    const record = this.#table[index];
    return typeof record === 'string' ? record : undefined;
  }

  /**
   * Mean and population standard deviation of each channel over all pixels of the samples, on a
   * scale of 0 to 1, exact but for the last rounding. Bad images are left out.
   */
  statistics(indices: readonly number[]): { mean: number[]; std: number[] } {
    const totals = [0, 0, 0, 0, 0, 0];
    let images = 0;
    for (const index of indices) {
      const record = this.#table[index];
      if (record === undefined || typeof record === 'string') continue;
      images++;
      record.sums.forEach((value, channel) => {
        totals[channel] = (totals[channel] ?? 0) + value;
      });
    }
    const pixels = (images * this.bytesPerImage) / 3;
    const mean = [0, 1, 2].map((channel) => (totals[channel] ?? 0) / pixels);
    const std = mean.map((value, channel) =>
      Math.sqrt(Math.max(0, (totals[channel + 3] ?? 0) / pixels - value * value)),
    );
    return { mean: mean.map((value) => value / 255), std: std.map((value) => value / 255) };
  }

  /**
   * Fills `target` with resize × resize × 3 bytes of each sample, one after another.
   * @throws WorkError where a file no longer holds what it held.
   */
  async read(indices: readonly number[], target: Uint8Array): Promise<void> {
    const length = this.bytesPerImage;
    const file = this.#file;
    this.#turns ??= new Turns(file ? cacheReads : this.#pool.capacity);
    const job = this.#turns.each(indices, (index, position) => {
      const place = target.subarray(position * length, (position + 1) * length);
      return file ? this.#readCached(file, index, place) : this.#readDecoded(index, place);
    });
    this.#pending.add(job);
    try {
      await job;
    } finally {
      this.#pending.delete(job);
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await Promise.allSettled(this.#pending);
    await this.#file?.close();
    this.#file = undefined;
  }

  async #prepare(): Promise<void> {
    const { cache = true, signal } = this.#options;
    const { key, folder, table: tablePath, pixels: pixelsPath } = this.#paths;
    if (await this.#openStored(cache)) return;
    const remembered = unstored.get(tablePath);
    if (remembered) {
      this.#table = remembered;
      return;
    }
    try {
      await mkdir(folder, { recursive: true });
      if (cache) await this.#requireSpace(folder);
      await withBuildLock(join(folder, `${key}.lock`), signal, async () => {
        // Another process may have made it meanwhile.
        this.#forget();
        if (await this.#openStored(cache)) return;
        this.#table = await this.#scan(cache ? pixelsPath : undefined);
        // A file that could not be read may be readable next time: nothing lasting is said of it.
        if (this.#table.some(isReadFault)) unstored.set(tablePath, this.#table);
        else await this.#store(cache);
      });
      this.#forget();
      await this.#openStored(cache);
      // The threads' work is done where pixels come from the file.
      if (this.#file) await this.#pool.close();
    } catch (error) {
      const reason = storageFault(error);
      if (reason === undefined) throw error;
      this.notes.push(`images are decoded anew in every epoch: ${reason} (${folder})`);
      this.#table = await this.#scan(undefined);
      unstored.set(tablePath, this.#table);
    }
  }

  /** Writes the table, with the pixel file's stamp where there is one. */
  async #store(cache: boolean): Promise<void> {
    const { name, root, samples } = this.#dataset;
    const { key, table, pixels } = this.#paths;
    const about = { name, root, images: samples.length, resize: this.#options.resize };
    const stamp = cache ? { pixels: await stampOf(pixels) } : {};
    await writeImageTable(table, key, { about, table: this.#table, ...stamp });
  }

  /** True where an earlier run left what is needed, undamaged. */
  async #openStored(cache: boolean): Promise<boolean> {
    if (this.#file) return true;
    const { key, table: tablePath, pixels: pixelsPath } = this.#paths;
    const stored = await this.#readTable();
    if (stored?.table.length !== this.#dataset.samples.length) return false;
    this.#table = stored.table;
    // For those who clear the cache: when it was last of use.
    await utimes(tablePath, new Date(), new Date()).catch(() => undefined);
    if (!cache) return true;
    const { file, verified, damage } = await openPixels(pixelsPath, stored, this.bytesPerImage);
    if (damage !== undefined) this.#note(`the cache of resized images is made anew: ${damage}`);
    if (!file) return false;
    this.#file = file;
    if (verified) {
      this.#verified.fill(1);
      const pixels = await stampOf(pixelsPath);
      // Where the table cannot be written, the next process compares the pixels again.
      await writeImageTable(tablePath, key, { ...stored, pixels }).catch(() => undefined);
      this.#forget();
    }
    return true;
  }

  async #readTable(): Promise<StoredTable | undefined> {
    const { key, table: path } = this.#paths;
    const tables = known.get(this.#dataset) ?? new Map<string, StoredTable>();
    known.set(this.#dataset, tables);
    const stored = tables.get(path) ?? (await readImageTable(path, key));
    if (stored) tables.set(path, stored);
    return stored;
  }

  #forget(): void {
    known.get(this.#dataset)?.delete(this.#paths.table);
  }

  #note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  async #scan(pixelsPath: string | undefined): Promise<ImageTable> {
    const { resize, maxPixels = defaultMaxPixels, onProgress, signal } = this.#options;
    return scanImages(this.#dataset, this.#pool, {
      resize,
      maxPixels,
      onProgress,
      signal,
      pixelsPath,
    });
  }

  async #requireSpace(folder: string): Promise<void> {
    const { bavail, bsize } = await statfs(folder);
    const needed = this.#dataset.samples.length * this.bytesPerImage;
    if (bavail * bsize - needed >= spareBytes) return;
    const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
    throw new StorageFault(
      `the cache needs ${gigabytes(needed)} GB and ${gigabytes(bavail * bsize)} GB are free`,
    );
  }

  #refuseBad(): void {
    if (this.#options.onBadImage === 'skip') return;
    const bad = this.#dataset.samples.flatMap(({ id }, index) => {
      const reason = this.badReason(index);
      return reason === undefined ? [] : [`${id}: ${reason}`];
    });
    if (bad.length === 0) return;
    throw new WorkError({
      where: this.#dataset.root,
      expected: `${this.#dataset.samples.length} images that can be decoded`,
      got: problemList(bad, 'bad image'),
      hint: 'repair or remove them, or leave them out with onBadImage: skip',
    });
  }

  async #readCached(file: FileHandle, index: number, target: Uint8Array): Promise<void> {
    const length = this.bytesPerImage;
    const { bytesRead } = await file.read(target, 0, length, index * length);
    if (this.#verified[index]) return;
    if (bytesRead === length && this.#matches(index, crc32(target.subarray(0, length)))) {
      this.#verified[index] = 1;
      return;
    }
    // Written to while it was open, or a failing disk: the picture's own file is the truth.
    const before = this.notes.length;
    this.#note('the cache of resized images was damaged: what differs is decoded anew');
    if (this.notes.length > before) {
      this.#options.onNote?.(this.notes.at(-1) ?? '');
      await distrust(this.#paths.pixels);
      this.#forget();
    }
    await this.#readDecoded(index, target);
  }

  async #readDecoded(index: number, target: Uint8Array): Promise<void> {
    const { resize, maxPixels = defaultMaxPixels } = this.#options;
    const path = this.#dataset.samples[index]?.path ?? '';
    const { pixels, checksum } = await this.#pool.read(path, resize, maxPixels);
    if (!this.#matches(index, checksum)) throw this.#changed(index);
    target.set(pixels);
  }

  #matches(index: number, checksum: number): boolean {
    const record = this.#table[index];
    return typeof record === 'object' && record.checksum === checksum;
  }

  #changed(index: number): WorkError {
    return new WorkError({
      where: this.#dataset.samples[index]?.path ?? String(index),
      expected: 'the picture that was read at the start',
      got: 'another picture',
      hint: 'leave the images alone during a run',
    });
  }
}

/** The cache cannot be written; the work can go on without. */
class StorageFault extends Error {}

/** Why the cache folder cannot be used; `undefined` for errors that are not its fault. */
function storageFault(error: unknown): string | undefined {
  if (error instanceof StorageFault) return error.message;
  const cause = error instanceof WorkError ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EFBIG'];
  return known.includes(code) ? `the cache folder cannot be written, ${code}` : undefined;
}
