/**
 * Batches of a split, epoch after epoch. The pictures of the next batches are read while the current
 * one is used; order and random changes depend on (seed, epoch, sample) alone, so that batches are the
 * same bit for bit with any number of workers, with and without cache, and after a resume.
 */
import { type Device, fromTypedArray, scope, type Tensor } from '../tensor/index.ts';
import { RandomStream, RequestError, WorkError } from '../util/index.ts';
import { oneAhead } from './ahead.ts';
import { augmentedBatch, evaluationBatch, trainingBatch } from './augment/apply.ts';
import { AugmentPool } from './augment/augmentPool.ts';
import { drawChange } from './augment/draw.ts';
import type { AugmentSettings } from './augment/settings.ts';
import type { DataSet } from './dataSet.ts';
import { type ImageOptions, ImageStore } from './images/imageStore.ts';
import { problemList } from './problems.ts';

export interface LoaderOptions extends ImageOptions {
  dataset: DataSet;
  /** The split: positions of samples in the data set. */
  indices: readonly number[];
  /** Pixels of a side that the network sees; at most `resize`. */
  size: number;
  /** Of each channel, on a scale of 0 to 1 (see `channelStatistics`); one alone: of the luminance. */
  mean: readonly number[];
  std: readonly number[];
  batchSize: number;
  /** False, the default: centre crops. */
  augment?: AugmentSettings | false;
  shuffle: boolean;
  /** Leave a last batch that is not full out. */
  dropLast: boolean;
  seed: number;
  /** Where batches are made and given; the CPU by default. */
  device?: Device;
  /** Batches that are read ahead. */
  prefetch?: number;
}

/** One batch; the caller disposes it. */
export interface Batch {
  /** [B, 3, size, size] float32, normalised, channels-last; [B, 1, size, size] of the luminance. */
  images: Tensor;
  /** [B] int64 class indices; for a multi-label task [B, K] float32 of 0 and 1. */
  labels: Tensor;
  /** [B] positions in the data set. */
  indices: number[];
  dispose(): void;
}

/** Memory of a batch that is being made. */
interface Room {
  /** [B, resize, resize, 3] */
  pixels: Uint8Array;
  /** [B, size, size, 3] where images are augmented before they become a tensor, else empty. */
  images: Float32Array;
}

/** A batch on its way from the disk. */
interface Ahead {
  indices: number[];
  ready: Promise<Room>;
}

/** For images that are normalised later. */
const levels = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

export class Loader {
  /** The split without bad images, in the order given. */
  readonly indices: readonly number[];
  /** Bad images of the split that are left out. */
  readonly skipped: readonly { file: string; reason: string }[];
  readonly batchesPerEpoch: number;
  /** Images of a batch: all of a split that has fewer than were asked for. */
  readonly batchSize: number;
  /** What a user should know, for example why there is no cache. */
  readonly notes: readonly string[];
  readonly #options: LoaderOptions;
  readonly #store: ImageStore;
  /** Augments on the CPU; other devices do it themselves. */
  readonly #augmenting: AugmentPool;
  /** Memory that held a batch and is free again. */
  readonly #rooms: Room[] = [];

  private constructor(options: LoaderOptions, store: ImageStore) {
    this.#options = options;
    this.#store = store;
    this.#augmenting = new AugmentPool(options.workers);
    this.notes = store.notes;
    const judged = options.indices.map((index) => ({ index, reason: store.badReason(index) }));
    this.indices = judged.flatMap(({ index, reason }) => (reason === undefined ? [index] : []));
    this.skipped = judged.flatMap(({ index, reason }) =>
      reason === undefined ? [] : [{ file: options.dataset.samples[index]?.path ?? '', reason }],
    );
    this.batchSize = Math.max(1, Math.min(options.batchSize, this.indices.length));
    const batches = this.indices.length / this.batchSize;
    this.batchesPerEpoch = options.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /**
   * Examines all images of the data set first (at once where an earlier run did).
   * @throws WorkError that lists bad images; RequestError where no batch can be made.
   */
  static async open(options: LoaderOptions): Promise<Loader> {
    const { size, resize, dataset, std } = options;
    if (size > resize) {
      throw new RequestError({
        where: 'size',
        expected: `at most resize, ${resize}`,
        got: String(size),
        hint: 'raise resize, or lower size',
      });
    }
    const store = await ImageStore.open(dataset, options);
    try {
      requireImages(dataset, options.indices, store);
      requireContrast(dataset, std);
      return new Loader(options, store);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /**
   * The batches of an epoch from `startBatch` on. Ending the loop early is fine. Several epochs may
   * be under way at once.
   */
  epoch(epoch: number, startBatch = 0): AsyncGenerator<Batch, void, undefined> {
    const batches = this.#batches(epoch, startBatch);
    return (this.#options.device ?? 'cpu') === 'cpu' ? batches : oneAhead(batches);
  }

  async *#batches(epoch: number, startBatch: number): AsyncGenerator<Batch, void, undefined> {
    const { shuffle, seed, prefetch = 2 } = this.#options;
    const { batchSize } = this;
    const order = shuffle
      ? new RandomStream('order', seed, epoch).shuffle(this.indices)
      : this.indices;
    const ahead: Ahead[] = [];
    let next = startBatch;
    const readOn = (): void => {
      while (ahead.length <= prefetch && next < this.batchesPerEpoch) {
        const indices = order.slice(next * batchSize, (next + 1) * batchSize);
        const ready = this.#prepare(indices, epoch);
        // A failure is told when its batch is due, not as an unhandled rejection before.
        ready.catch(() => undefined);
        ahead.push({ indices, ready });
        next++;
      }
    };
    readOn();
    for (let batch = ahead.shift(); batch; batch = ahead.shift()) {
      const room = await batch.ready;
      readOn();
      const made = this.#makeBatch(batch.indices, room, epoch);
      // The batch has copies: the next one may overwrite the memory.
      this.#rooms.push(room);
      yield made;
    }
  }

  async close(): Promise<void> {
    await this.#augmenting.close();
    await this.#store.close();
  }

  /** All that can be done ahead of a batch's turn. */
  async #prepare(indices: readonly number[], epoch: number): Promise<Room> {
    const { augment = false, seed, resize, size, mean, std } = this.#options;
    const room = this.#rooms.pop() ?? this.#newRoom();
    const pixels = room.pixels.subarray(0, indices.length * this.#store.bytesPerImage);
    await this.#store.read(indices, pixels);
    if (augment !== false && room.images.length > 0) {
      const norm = mean.length === 1 ? levels : { mean, std };
      const images = room.images.subarray(0, indices.length * size * size * 3);
      const what = { augment, seed, epoch, indices, resize, size, ...norm, pixels, images };
      await this.#augmenting.augment(what);
    }
    return room;
  }

  #newRoom(): Room {
    const { augment = false, size, device = 'cpu' } = this.#options;
    const { batchSize } = this;
    const images = augment !== false && device === 'cpu' ? batchSize * size * size * 3 : 0;
    return {
      pixels: new Uint8Array(this.#augmenting.memory(batchSize * this.#store.bytesPerImage)),
      images: new Float32Array(this.#augmenting.memory(images * 4)),
    };
  }

  #makeBatch(indices: number[], room: Room, epoch: number): Batch {
    const [images, labels] = scope(() => [
      this.#makeImages(indices, room, epoch),
      this.#labels(indices),
    ]);
    if (!images || !labels) throw new Error('a batch without tensors');
    return {
      images,
      labels,
      indices,
      dispose: () => {
        images.dispose();
        labels.dispose();
      },
    };
  }

  #makeImages(indices: readonly number[], room: Room, epoch: number): Tensor {
    const { resize, size, mean, std, augment = false, seed, device = 'cpu' } = this.#options;
    const norm = { mean, std };
    const count = indices.length;
    if (room.images.length > 0) {
      const held = room.images.subarray(0, count * size * size * 3);
      return augmentedBatch(held, size, norm);
    }
    const held = room.pixels.subarray(0, count * this.#store.bytesPerImage);
    const pixels = fromTypedArray(held, [count, resize, resize, 3], { dtype: 'uint8', device });
    if (augment === false) return evaluationBatch(pixels, size, norm);
    const changes = indices.map((index) =>
      drawChange(augment, { resize, size }, { seed, epoch, index }),
    );
    return trainingBatch(pixels, changes, size, norm);
  }

  #labels(indices: readonly number[]): Tensor {
    const { dataset, device = 'cpu' } = this.#options;
    const labels = indices.map((index) => dataset.samples[index]?.label ?? 0);
    if (dataset.task === 'multilabel') {
      const shape = [indices.length, dataset.classes.length];
      return fromTypedArray(Float32Array.from(labels.flat()), shape, { device });
    }
    const values = BigInt64Array.from(labels.flat().map(BigInt));
    return fromTypedArray(values, [indices.length], { device });
  }
}

/**
 * Mean and standard deviation of each channel over the pixels of a split after resizing, on a scale
 * of 0 to 1: exact, and the same whatever the number of workers.
 * @throws WorkError as `Loader.open`.
 */
export async function channelStatistics(
  dataset: DataSet,
  indices: readonly number[],
  options: ImageOptions,
): Promise<{ mean: number[]; std: number[] }> {
  const store = await ImageStore.open(dataset, options);
  try {
    requireImages(dataset, indices, store);
    return store.statistics(indices);
  } finally {
    await store.close();
  }
}

/** @throws WorkError where a split has no image that can be decoded, with the reasons. */
function requireImages(dataset: DataSet, indices: readonly number[], store: ImageStore): void {
  const bad: string[] = [];
  for (const index of indices) {
    const reason = store.badReason(index);
    if (reason === undefined) return;
    bad.push(`${dataset.samples[index]?.id}: ${reason}`);
  }
  throw new WorkError({
    where: dataset.name,
    expected: 'an image that can be decoded in each split',
    got: bad.length > 0 ? problemList(bad, 'bad image') : 'no images',
    hint: 'repair them, or add images',
  });
}

/** @throws WorkError for a channel that is the same in all pixels, by which nothing can be divided. */
function requireContrast({ name }: DataSet, std: readonly number[]): void {
  if (std.every((value) => value > 0)) return;
  throw new WorkError({
    where: name,
    expected: 'training images that differ in every channel',
    got: `a standard deviation of ${std.join(', ')}`,
    hint: 'are the images all of one colour? normalize: imagenet goes on all the same',
  });
}

/** Channel statistics of ImageNet's training images, as torchvision and timm use them. */
export const imagenetStatistics = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const;
