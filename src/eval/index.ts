export {
  accuracy,
  type ConfusionMatrix,
  confusionMatrix,
  macroRecall,
  perClassRecall,
  quadraticKappa,
} from './confusion.ts';
export { type Evaluation, evaluate, metricsOfTask, undefinedOnLabels } from './evaluation.ts';
export { type FeatureColumns, type FeatureFileOptions, writeFeatures } from './featureFile.ts';
export {
  chooseTaps,
  embeddingKind,
  extractFeatures,
  type FeatureBatch,
  type FeatureOptions,
} from './features.ts';
export {
  type ChannelNumbers,
  fileOf,
  type ImagesRequest,
  type Normalization,
  normalizations,
  type OpenedImages,
  openImages,
} from './images.ts';
export { defined, type MetricValue, meanOverNamed, undefinedBecause } from './metricValue.ts';
export { type NetworkRequest, type OpenedNetwork, openNetwork } from './network.ts';
export { type PassOptions, PredictionStopped, passOver } from './pass.ts';
export { predict } from './predict.ts';
export {
  columnOf,
  type MetricName,
  meanLoss,
  outputCount,
  type Predictions,
  predictedClasses,
  softmaxRows,
  type Task,
} from './predictions.ts';
export { formatPredictions, type PredictionRow, predictionRows } from './predictionTable.ts';
export { averagePrecision, rocAuc } from './ranking.ts';
export { type OpenedRun, openRun, type RunCheckpoint } from './runNetwork.ts';
