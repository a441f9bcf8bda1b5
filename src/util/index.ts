export { CarryoverError, type ErrorParts, errorCode, RequestError, WorkError } from './errors.ts';
export {
  explainWriteFailure,
  hashFile,
  hashText,
  isFullDisk,
  readFault,
  refuseToReplace,
  writeFileWhole,
  writeJson,
} from './files.ts';
export { escapeHtml } from './html.ts';
export { escapeMarkdown } from './markdown.ts';
export { editDistance, nearestNames } from './names.ts';
export { mapBounded, Turns } from './parallel.ts';
export { type Startable, startable } from './processes.ts';
export { RandomStream } from './random.ts';
export {
  allResamples,
  bootstrapMean,
  FEWEST_REPEATS,
  holm,
  type Interval,
  intervalOf,
  type PairedTest,
  pairedPermutationTest,
  quantile,
  type Resample,
} from './resampling.ts';
export { mean, median, sampleDeviation } from './statistics.ts';
export { counted, decimal, listed, listedFirst, whole } from './words.ts';
