export { CarryoverError, type ErrorParts, RequestError, WorkError } from './errors.ts';
export {
  explainWriteFailure,
  hashFile,
  hashText,
  isFullDisk,
  writeFileWhole,
  writeJson,
} from './files.ts';
export { editDistance, nearestNames } from './names.ts';
export { type Startable, startable } from './processes.ts';
export { RandomStream } from './random.ts';
export {
  bootstrapMean,
  FEWEST_REPEATS,
  holm,
  type Interval,
  type PairedTest,
  pairedPermutationTest,
  quantile,
} from './resampling.ts';
export { mean, median, sampleDeviation } from './statistics.ts';
