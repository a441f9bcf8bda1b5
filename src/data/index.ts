export { type AugmentSettings, augmentSchema, parseAugment } from './augment/settings.ts';
export { defaultCacheFolder } from './cacheFolder.ts';
export {
  classCounts,
  classText,
  type DataMetric,
  type DataSet,
  type DataTask,
  metricOfTask,
  type Sample,
  type SplitName,
  type SplitSettings,
  splitNames,
} from './dataSet.ts';
export type { ImageOptions } from './images/imageStore.ts';
export type { OpenOptions } from './kind.ts';
export {
  type Batch,
  channelStatistics,
  imagenetStatistics,
  Loader,
  type LoaderOptions,
} from './loader.ts';
export { describeKinds } from './registry.ts';
export {
  type DataSpec,
  dataSpecSchema,
  openDataSet,
  parseDataArgument,
  parseDataSpec,
  type SpecPlace,
} from './spec.ts';
export { makeSplits, type SplitOptions, type Splits, splitsIdentity } from './splits/makeSplits.ts';
export { describeSplits, readSplits, writeSplits } from './splits/splitFile.ts';
export { type SyntheticOptions, type SyntheticSet, writeSynthetic } from './synthetic/index.ts';
