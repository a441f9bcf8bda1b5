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
export type { OpenOptions } from './kind.ts';
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
