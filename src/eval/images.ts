/** A data set's images as a network is to see them, to be predicted or to read features of. */
import { relative, sep } from 'node:path';
import {
  channelStatistics,
  type DataSet,
  type DataSpec,
  type ImageOptions,
  imagenetStatistics,
  isLabelled,
  Loader,
  luminanceStatistics,
  makeSplits,
  openDataSet,
  readSplits,
  type SplitName,
  type Splits,
} from '../data/index.ts';
import { RequestError } from '../util/index.ts';

/** What images are normalised by: each channel's mean and deviation on a scale of 0 to 1. */
export interface ChannelNumbers {
  mean: readonly number[];
  std: readonly number[];
}

/**
 * - imagenet: by ImageNet's means and deviations;
 * - data: by those of the training split, or of all images where there are no splits;
 * - none: pixels from 0 to 1 as they are.
 */
export type Normalization = 'imagenet' | 'data' | 'none';

export const normalizations: readonly Normalization[] = ['imagenet', 'data', 'none'];

export interface ImagesRequest extends Pick<ImageOptions, 'workers' | 'onBadImage' | 'signal'> {
  data: DataSpec;
  split: SplitName | 'all';
  /** The splits of the data set; drawn with seed 0, or as the data set has them, if not given. */
  splitsOf?: (dataset: DataSet) => Splits | Promise<Splits>;
  /** A file that says the splits instead. */
  splitsFile?: string;
  /** Pixels of a side that the network sees. */
  size: number;
  /** Pixels of a side that images are resized to before the crop. */
  resize: number;
  /** Channels that the network sees; 1: luminance. */
  channels: 1 | 3;
  normalize: Normalization | ChannelNumbers;
  batchSize: number;
  /** Called while images are read for the first time. */
  onProgress?: (done: number, total: number) => void;
}

export interface OpenedImages extends ChannelNumbers {
  dataset: DataSet;
  /** The split's images in the data set's order. */
  loader: Loader;
  /** What a user should know. */
  notes: string[];
}

/**
 * Opens the images; its owner closes the loader.
 * @throws RequestError or WorkError for data that cannot be read, bad images, a split that is not there.
 */
export async function openImages(request: ImagesRequest): Promise<OpenedImages> {
  const { data, split, size, resize, batchSize, workers, onBadImage, signal, onProgress } = request;
  const dataset = await openDataSet(data, { signal });
  const splits = await splitsFor(dataset, request);
  const all = dataset.samples.map((_, index) => index);
  const images = { resize, workers, onBadImage, signal, onProgress };
  const { mean, std } = await numbersFor(dataset, splits?.train ?? all, request, images);
  const loader = await Loader.open({
    ...images,
    dataset,
    indices: split === 'all' ? all : (splits?.[split] ?? []),
    size,
    mean,
    std,
    batchSize,
    shuffle: false,
    dropLast: false,
    seed: 0,
  });
  const withoutSplits =
    request.normalize === 'data' && !splits && isLabelled(dataset)
      ? ['the images are normalised by all of them: the data set cannot be split']
      : [];
  return {
    dataset,
    loader,
    mean,
    std,
    notes: [...dataset.notes, ...loader.notes, ...withoutSplits],
  };
}

/** Splits where the request needs them. Normalisation alone goes on without. */
async function splitsFor(
  dataset: DataSet,
  { split, normalize, splitsFile, splitsOf = (all) => makeSplits(all, { seed: 0 }) }: ImagesRequest,
): Promise<Splits | undefined> {
  // A file that was named is read in any case: what is wrong with it must not pass in silence.
  if (splitsFile !== undefined) return readSplits(splitsFile, dataset);
  if (split !== 'all') return splitsOf(dataset);
  if (normalize !== 'data' || !isLabelled(dataset)) return undefined;
  try {
    return await splitsOf(dataset);
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

async function numbersFor(
  dataset: DataSet,
  indices: readonly number[],
  { normalize, channels }: ImagesRequest,
  images: ImageOptions,
): Promise<ChannelNumbers> {
  if (typeof normalize !== 'string') return normalize;
  const plain = { mean: [0, 0, 0], std: [1, 1, 1] };
  const numbers =
    normalize === 'none'
      ? plain
      : normalize === 'imagenet'
        ? imagenetStatistics
        : await channelStatistics(dataset, indices, images);
  if (channels === 3) return numbers;
  return normalize === 'none' ? { mean: [0], std: [1] } : luminanceStatistics(numbers);
}

/**
 * An image's file, relative to the data set's folder, with slashes; of an array's row, which lies in the
 * array's file or in the cache, its name in the data set.
 */
export function fileOf(dataset: DataSet, index: number): string {
  const { path = '', id = '' } = dataset.samples[index] ?? {};
  const inside = relative(dataset.root, path).split(sep).join('/');
  return inside.startsWith('../') ? id : inside;
}
