/** All metrics of a split, and the one by which its data set is judged (METHODS 4 and 5). */
import {
  accuracy,
  type ConfusionMatrix,
  confusionMatrix,
  macroRecall,
  perClassRecall,
  quadraticKappa,
} from './confusion.ts';
import { type MetricValue, meanOverNamed } from './metricValue.ts';
import {
  columnOf,
  type MetricName,
  meanLoss,
  type Predictions,
  predictedClasses,
  softmaxRows,
  type Task,
} from './predictions.ts';
import { averagePrecision, rocAuc } from './ranking.ts';

export interface Evaluation {
  /** The data set's own metric, by which checkpoints are chosen. */
  metric: MetricName;
  primary: MetricValue;
  /** Mean loss over the split. */
  loss: number;
  samples: number;
  /** Every other metric that the task knows, by name. */
  metrics: Record<string, MetricValue>;
  /** By class or label name: recall (class tasks) or ROC-AUC (multi-label). */
  perClass: Record<string, MetricValue>;
  /** [true class][predicted class]; absent for multi-label tasks. */
  confusion?: ConfusionMatrix;
}

/** The metrics by which a task can be judged. */
export function metricsOfTask(task: Task): readonly MetricName[] {
  return task === 'multilabel' ? ['auc'] : ['kappa', 'recall', 'auc'];
}

/**
 * Evaluates predictions.
 * @param classes names of classes or labels, in order. @throws RangeError where the task does not know the metric.
 */
export function evaluate(
  predictions: Predictions,
  { task, metric, classes }: { task: Task; metric: MetricName; classes: readonly string[] },
): Evaluation {
  if (!metricsOfTask(task).includes(metric)) {
    throw new RangeError(`metric ${metric} is not defined for ${task} tasks`);
  }
  const loss = meanLoss(predictions, task);
  const samples = predictions.indices.length;
  if (task === 'multilabel') {
    const { auc, perClass, precision } = multilabelMetrics(predictions, classes);
    const metrics = { auc, averagePrecision: precision };
    return { metric, primary: auc, loss, samples, metrics, perClass };
  }
  const confusion = confusionMatrix(
    predictions.labels,
    predictedClasses(predictions),
    classes.length,
  );
  const ranking =
    task === 'binary' ? binaryRanking(predictions) : oneAgainstRest(predictions, classes);
  const recalls = perClassRecall(confusion);
  const metrics = {
    accuracy: accuracy(confusion),
    recall: macroRecall(confusion, classes),
    kappa: quadraticKappa(confusion),
    ...ranking,
  };
  return {
    metric,
    primary: metrics[metric],
    loss,
    samples,
    metrics,
    perClass: Object.fromEntries(classes.map((name, index) => [name, recalls[index] ?? {}])),
    confusion,
  };
}

/**
 * Why `metric` can have no value on samples with these labels, whatever a network says; `undefined`
 * where it can. Known before training starts, so that no run is judged by nothing.
 * @param labels as in {@link Predictions}.
 */
export function undefinedOnLabels(
  labels: ArrayLike<number>,
  { task, metric, classes }: { task: Task; metric: MetricName; classes: readonly string[] },
): string | undefined {
  if (labels.length === 0) return 'no samples';
  if (metric === 'recall') return undefined;
  if (task === 'multilabel') {
    const usable = classes.some((_, index) => {
      const column = columnOf(labels, classes.length, index);
      return column.includes(0) && column.includes(1);
    });
    return usable ? undefined : 'no label has both positive and negative samples';
  }
  const present = new Set(Array.from(labels));
  return present.size > 1 ? undefined : 'all samples are of one class';
}

function binaryRanking({
  labels,
  logits,
}: Predictions): Record<'auc' | 'averagePrecision', MetricValue> {
  return { auc: rocAuc(labels, logits), averagePrecision: averagePrecision(labels, logits) };
}

/** Each class against all others by its softmax score, and the mean over the classes that have both. */
function oneAgainstRest(
  { labels, logits, outputs }: Predictions,
  classes: readonly string[],
): Record<'auc' | 'averagePrecision', MetricValue> {
  const scores = softmaxRows(logits, outputs);
  const parts = classes.map((name, index) => {
    const target = labels.map((label) => (label === index ? 1 : 0));
    const score = columnOf(scores, outputs, index);
    return { name, auc: rocAuc(target, score), precision: averagePrecision(target, score) };
  });
  return {
    auc: meanOverNamed(parts.map(({ name, auc }) => ({ name, metric: auc }))),
    averagePrecision: meanOverNamed(
      parts.map(({ name, precision }) => ({ name, metric: precision })),
    ),
  };
}

function multilabelMetrics(
  { labels, logits, outputs }: Predictions,
  classes: readonly string[],
): { auc: MetricValue; precision: MetricValue; perClass: Record<string, MetricValue> } {
  const parts = classes.map((name, index) => {
    const target = columnOf(labels, outputs, index);
    const score = columnOf(logits, outputs, index);
    return { name, auc: rocAuc(target, score), precision: averagePrecision(target, score) };
  });
  return {
    auc: meanOverNamed(parts.map(({ name, auc }) => ({ name, metric: auc }))),
    precision: meanOverNamed(parts.map(({ name, precision }) => ({ name, metric: precision }))),
    perClass: Object.fromEntries(parts.map(({ name, auc }) => [name, auc])),
  };
}
