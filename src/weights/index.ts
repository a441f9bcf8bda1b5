export {
  findSource,
  hashPrefix,
  sourceFile,
  sourceName,
  type WeightSource,
  weightSources,
} from './catalogue.ts';
export { describeMatch } from './describeMatch.ts';
export { type FetchedWeights, type FetchOptions, fetchWeights } from './fetch.ts';
export { findNonFinite } from './finite.ts';
export { type LoadOptions, loadWeights } from './load.ts';
export { type MatchOptions, type MatchReport, matchWeights, type ShapeMismatch } from './match.ts';
export { listWeights, readWeights } from './read.ts';
export { SafetensorsRows } from './safetensorsRows.ts';
export {
  formatShape,
  type StoredTensor,
  type TensorDescription,
  type WeightFile,
  type WeightFormat,
  type WeightListing,
} from './stored.ts';
export {
  type CachedWeights,
  listCachedWeights,
  resolveWeights,
  type Verification,
  type WeightRecord,
  weightsFolder,
  weightsPath,
} from './weightsFolder.ts';
export { requireWritable } from './wholeFile.ts';
export { writeSafetensors } from './writeSafetensors.ts';
