export { luminanceStatistics } from './augment/luminance.ts';
export { type AugmentSettings, augmentSchema, parseAugment } from './augment/settings.ts';
export { type CacheEntry, listCache, pruneCache } from './cacheContent.ts';
export { defaultCacheFolder } from './cacheFolder.ts';
export { type CheckOptions, type CheckResult, checkData } from './check/checkData.ts';
export { type ContactSheet, encodeSheet } from './check/contactSheet.ts';
export { nearDuplicateNotes } from './check/nearDuplicates.ts';
export { checkPage } from './check/page.ts';
export type { ClassReport, DataReport, Histogram, SplitPlace } from './check/report.ts';
export {
  classCounts,
  classText,
  type DataMetric,
  type DataSet,
  type DataTask,
  hasUnknownLabels,
  isLabelled,
  metricOfTask,
  type Sample,
  type SplitName,
  type SplitSettings,
  splitNames,
} from './dataSet.ts';
export type { ImageOptions } from './images/imageStore.ts';
export { jpegDecoder } from './images/jpegAddon.ts';
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
  type DataAxisSpec,
  type DataSpec,
  dataAxisSchema,
  dataSpecSchema,
  openDataSet,
  parseDataArgument,
  parseDataSpec,
  type SpecPlace,
  takePart,
} from './spec.ts';
export { describeChanges } from './splits/changes.ts';
export { makeSplits, type SplitOptions, type Splits, splitsIdentity } from './splits/makeSplits.ts';
export { describeSplits, readSplits, writeSplits } from './splits/splitFile.ts';
export { type SyntheticOptions, type SyntheticSet, writeSynthetic } from './synthetic/index.ts';
