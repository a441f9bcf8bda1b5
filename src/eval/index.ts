export {
  accuracy,
  type ConfusionMatrix,
  confusionMatrix,
  macroRecall,
  perClassRecall,
  quadraticKappa,
} from './confusion.ts';
export { type Evaluation, evaluate, metricsOfTask, undefinedOnLabels } from './evaluation.ts';
export { defined, type MetricValue, meanOverNamed, undefinedBecause } from './metricValue.ts';
export { PredictionStopped, type PredictOptions, predict } from './predict.ts';
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
export { averagePrecision, rocAuc } from './ranking.ts';
