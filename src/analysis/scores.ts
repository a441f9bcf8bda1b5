/** The metrics of scores that are shares, not logits: votes of neighbours, probabilities of a probe. */
import {
  accuracy,
  averagePrecision,
  type ConfusionMatrix,
  columnOf,
  confusionMatrix,
  type MetricName,
  type MetricValue,
  macroRecall,
  meanOverNamed,
  perClassRecall,
  quadraticKappa,
  rocAuc,
  type Task,
} from '../eval/index.ts';

/** What is predicted, and how it is judged. */
export interface TaskDescription {
  task: Task;
  metric: MetricName;
  /** Names of classes or labels, in order. */
  classes: readonly string[];
}

/** The columns of scores: one a class, also of two classes; one a label. */
export interface Scores {
  /** [N, classes], row by row. */
  values: Float64Array;
  rows: number;
}

export interface ScoreEvaluation {
  metric: MetricName;
  primary: MetricValue;
  metrics: Record<string, MetricValue>;
  /** Recall of each class, or AUC of each label. */
  perClass: Record<string, MetricValue>;
  /** [true class][predicted class]; absent for labels. */
  confusion?: ConfusionMatrix;
}

/**
 * All metrics that the task knows.
 * @param labels class indices [N], or 0 and 1 [N, labels] of a multi-label task.
 */
export function evaluateScores(
  { values, rows }: Scores,
  labels: ArrayLike<number>,
  { task, metric, classes }: TaskDescription,
): ScoreEvaluation {
  const ranked = classes.map((name, index) => {
    const target =
      task === 'multilabel'
        ? columnOf(labels, classes.length, index)
        : Float64Array.from(labels, (label) => (label === index ? 1 : 0));
    const score = columnOf(values, classes.length, index);
    return { name, auc: rocAuc(target, score), precision: averagePrecision(target, score) };
  });
  const positive = task === 'binary' ? ranked[1] : undefined;
  const auc = positive?.auc ?? meanOverNamed(ranked.map((one) => ({ ...one, metric: one.auc })));
  const precision =
    positive?.precision ?? meanOverNamed(ranked.map((one) => ({ ...one, metric: one.precision })));
  if (task === 'multilabel') {
    return {
      metric,
      primary: auc,
      metrics: { auc, averagePrecision: precision },
      perClass: Object.fromEntries(ranked.map((one) => [one.name, one.auc])),
    };
  }
  const confusion = confusionMatrix(labels, highestColumns(values, rows), classes.length);
  const recalls = perClassRecall(confusion);
  const metrics = {
    accuracy: accuracy(confusion),
    recall: macroRecall(confusion, classes),
    kappa: quadraticKappa(confusion),
    auc,
    averagePrecision: precision,
  };
  return {
    metric,
    primary: metrics[metric],
    metrics,
    perClass: Object.fromEntries(classes.map((name, index) => [name, recalls[index] ?? {}])),
    confusion,
  };
}

/** The column of each row's highest value, the first of equals. */
function highestColumns(values: Float64Array, rows: number): number[] {
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let column = 1; column < width; column++) {
      if ((values[row * width + column] ?? 0) > (values[row * width + best] ?? 0)) best = column;
    }
    return best;
  });
}

/** Samples as class indices or rows of 0 and 1, as one row of `classes` shares each. */
export function targetRows(
  labels: ArrayLike<number>,
  { task, classes }: TaskDescription,
): Float64Array {
  if (task === 'multilabel') return Float64Array.from(labels);
  const rows = new Float64Array(labels.length * classes.length);
  for (let sample = 0; sample < labels.length; sample++) {
    rows[sample * classes.length + (labels[sample] ?? 0)] = 1;
  }
  return rows;
}
