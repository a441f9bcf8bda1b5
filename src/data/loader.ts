/**
 * Batches of a split, epoch after epoch. The pictures of the next batches are read while the current
 * one is used; order and random changes depend on (seed, epoch, sample) alone, so that batches are the
 * same bit for bit with any number of workers, with and without cache, and after a resume.
 */
import { type Device, fromTypedArray, scope, type Tensor } from '../tensor/index.ts';
import { RandomStream, RequestError, WorkError } from '../util/index.ts';
import { evaluationBatch, trainingBatch } from './augment/apply.ts';
import { drawChange } from './augment/draw.ts';
import type { AugmentSettings } from './augment/settings.ts';
import type { DataSet } from './dataSet.ts';
import { type ImageOptions, ImageStore } from './images/imageStore.ts';

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

/** A batch's pixels on their way from the disk. */
interface Ahead {
  indices: number[];
  pixels: Promise<Uint8Array<ArrayBuffer>>;
}

export class Loader {
  /** The split without bad images, in the order given. */
  readonly indices: readonly number[];
  /** Bad images of the split that are left out. */
  readonly skipped: readonly { file: string; reason: string }[];
  readonly batchesPerEpoch: number;
  /** What a user should know, for example why there is no cache. */
  readonly notes: readonly string[];
  readonly #options: LoaderOptions;
  readonly #store: ImageStore;
  /** Buffers that held the pixels of a batch and are free again. */
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];

  private constructor(options: LoaderOptions, store: ImageStore) {
    this.#options = options;
    this.#store = store;
    this.notes = store.notes;
    const judged = options.indices.map((index) => ({ index, reason: store.badReason(index) }));
    this.indices = judged.flatMap(({ index, reason }) => (reason === undefined ? [index] : []));
    this.skipped = judged.flatMap(({ index, reason }) =>
      reason === undefined ? [] : [{ file: options.dataset.samples[index]?.path ?? '', reason }],
    );
    const batches = this.indices.length / options.batchSize;
    this.batchesPerEpoch = options.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /**
   * Examines all images of the data set first (at once where an earlier run did).
   * @throws WorkError that lists bad images; RequestError where no batch can be made.
   */
  static async open(options: LoaderOptions): Promise<Loader> {
    const { size, resize, dataset, batchSize, std } = options;
    if (size > resize) {
      throw new RequestError({
        where: 'size',
        expected: `at most resize, ${resize}`,
        got: String(size),
        hint: 'raise resize, or lower size',
      });
    }
    if (std.some((value) => !(value > 0))) {
      throw new WorkError({
        where: dataset.name,
        expected: 'training images that differ in every channel',
        got: `a standard deviation of ${std.join(', ')}`,
        hint: 'are the images all of one colour? normalize: imagenet goes on all the same',
      });
    }
    const loader = new Loader(options, await ImageStore.open(dataset, options));
    if (loader.batchesPerEpoch > 0) return loader;
    await loader.close();
    const bad = loader.skipped.length > 0 ? `, and ${loader.skipped.length} bad ones` : '';
    throw new RequestError({
      where: `${dataset.name}: batchSize`,
      expected: `at least one ${options.dropLast ? 'full batch' : 'image'}`,
      got: `batches of ${batchSize} from ${loader.indices.length} images${bad}`,
      hint: 'lower the batch size, or add images',
    });
  }

  /**
   * The batches of an epoch from `startBatch` on. Ending the loop early is fine. Several epochs may
   * be under way at once.
   */
  async *epoch(epoch: number, startBatch = 0): AsyncGenerator<Batch, void, undefined> {
    const { batchSize, shuffle, seed, prefetch = 2 } = this.#options;
    const order = shuffle
      ? new RandomStream('order', seed, epoch).shuffle(this.indices)
      : this.indices;
    const ahead: Ahead[] = [];
    let next = startBatch;
    const readOn = (): void => {
      while (ahead.length <= prefetch && next < this.batchesPerEpoch) {
        const indices = order.slice(next * batchSize, (next + 1) * batchSize);
        const pixels = this.#read(indices);
        // A failure is told when its batch is due, not as an unhandled rejection before.
        pixels.catch(() => undefined);
        ahead.push({ indices, pixels });
        next++;
      }
    };
    readOn();
    for (let batch = ahead.shift(); batch; batch = ahead.shift()) {
      const pixels = await batch.pixels;
      readOn();
      const made = this.#makeBatch(batch.indices, pixels, epoch);
      // The batch has copies: the next read may overwrite the pixels.
      this.#buffers.push(new Uint8Array(pixels.buffer));
      yield made;
    }
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async #read(indices: readonly number[]): Promise<Uint8Array<ArrayBuffer>> {
    const length = this.#store.bytesPerImage;
    const buffer = this.#buffers.pop() ?? new Uint8Array(this.#options.batchSize * length);
    const pixels = buffer.subarray(0, indices.length * length);
    await this.#store.read(indices, pixels);
    return pixels;
  }

  #makeBatch(indices: number[], pixels: Uint8Array<ArrayBuffer>, epoch: number): Batch {
    const { resize, size, mean, std, augment = false, seed, device = 'cpu' } = this.#options;
    const [images, labels] = scope(() => {
      const shape = [indices.length, resize, resize, 3];
      const held = fromTypedArray(pixels, shape, { dtype: 'uint8', device });
      const norm = { mean, std };
      if (augment === false) return [evaluationBatch(held, size, norm), this.#labels(indices)];
      const changes = indices.map((index) =>
        drawChange(augment, { resize, size }, { seed, epoch, index }),
      );
      return [trainingBatch(held, changes, size, norm), this.#labels(indices)];
    });
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
    return store.statistics(indices);
  } finally {
    await store.close();
  }
}

/** Channel statistics of ImageNet's training images, as torchvision and timm use them. */
export const imagenetStatistics = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const;
