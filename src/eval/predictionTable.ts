/** Predictions as a table of probabilities: one row an image, one column a class. */
import { formatCsv } from '../results/index.ts';
import { type Predictions, predictedClasses, softmaxRows, type Task } from './predictions.ts';

/** Labels from this probability on are predicted. */
const threshold = 0.5;

export interface PredictionRow {
  /** Probability of each class, in their order; of a multi-label task each label's own. */
  probabilities: number[];
  /** The predicted class's name; of a multi-label task the predicted labels', joined by `|`. */
  predicted: string;
}

/**
 * The probabilities that logits stand for: softmax over classes, the logistic function for two classes
 * (one output, the second class's) and for labels.
 */
export function predictionRows(
  predictions: Predictions,
  { task, classes }: { task: Task; classes: readonly string[] },
): PredictionRow[] {
  const { logits, outputs, indices } = predictions;
  const rowOf = (values: ArrayLike<number>, row: number): number[] =>
    Array.from({ length: outputs }, (_, column) => values[row * outputs + column] ?? Number.NaN);
  if (task === 'multilabel') {
    return indices.map((_, row) => {
      const probabilities = rowOf(logits, row).map(logistic);
      const chosen = classes.filter((_name, label) => (probabilities[label] ?? 0) >= threshold);
      return { probabilities, predicted: chosen.join('|') };
    });
  }
  const best = predictedClasses(predictions);
  const softmax = task === 'binary' ? undefined : softmaxRows(logits, outputs);
  return indices.map((_, row) => {
    const logit = logits[row] ?? Number.NaN;
    const probabilities = softmax ? rowOf(softmax, row) : [logistic(-logit), logistic(logit)];
    return { probabilities, predicted: classes[best[row] ?? 0] ?? '' };
  });
}

/** As CSV: `file`, `class`, and a column of probabilities for each class. */
export function formatPredictions(
  files: readonly string[],
  rows: readonly PredictionRow[],
  classes: readonly string[],
): string {
  return formatCsv(
    ['file', 'class', ...classes],
    rows.map(({ predicted, probabilities }, index) => [files[index], predicted, ...probabilities]),
  );
}

/** 1 / (1 + e⁻ˣ), without overflow and exact near 0 and 1. */
function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const power = Math.exp(x);
  return power / (1 + power);
}
