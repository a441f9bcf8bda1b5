export { type AnalyseEvents, analyse, defaultMeasureOptions } from './analyse.ts';
export { AttendedDistance, patchDistances, uniformDistance } from './attendedDistance.ts';
export { requireComparable } from './comparable.ts';
export { EmbeddingStore } from './embeddingStore.ts';
export { type ExtractorName, extractorNames, openExtractor, parseExtractor } from './extractor.ts';
export { type FidRequest, type FidSide, measureFid } from './fid.ts';
export { type FinishedRun, readFinishedRun } from './finishedRun.ts';
export {
  type FrechetDistance,
  frechetDistance,
  MomentAccumulator,
  type Moments,
  traceOfRootProduct,
} from './frechet.ts';
export {
  addGrams,
  type CentredGram,
  crossHsic,
  FEWEST_SAMPLES,
  type Gram,
  gramMatrix,
  uCentre,
  unbiasedHsic,
} from './hsic.ts';
export { type VoteOptions, type VoteWeights, vote } from './knnVotes.ts';
export { minimise } from './lbfgs.ts';
export { DEFAULT_STRENGTHS, fitLogistic, linearProbe } from './linearProbe.ts';
export type {
  BatchView,
  Measure,
  MeasureOptions,
  Outcome,
  Reader,
  TextTable,
  Work,
} from './measure.ts';
export { allMeasures, measureOf } from './measures.ts';
export { type CkaEstimator, type CkaMatrix, MinibatchCka } from './minibatchCka.ts';
export { type Embeddings, type Neighbours, nearestNeighbours } from './neighbours.ts';
export { readMoments, writeMoments } from './npz.ts';
export { observeInParts, sharedPass } from './pass.ts';
export { type Calibration, calibrationOf, reliability } from './reliability.ts';
export { ResetSweep } from './resetSweep.ts';
export {
  evaluateScores,
  type ScoreEvaluation,
  type Scores,
  type TaskDescription,
} from './scores.ts';
export { type NetworkKey, Subject, type SubjectOptions } from './subject.ts';
export { weightDrift } from './weightDrift.ts';
