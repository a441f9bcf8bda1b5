/** Metrics of predicted classes, from the confusion matrix. Equal to scikit-learn's (test/golden/eval). */
import { defined, type MetricValue, meanOverNamed, undefinedBecause } from './metricValue.ts';

/** K rows (true class) of K counts (predicted class). */
export type ConfusionMatrix = readonly (readonly number[])[];

/**
 * Counts of (true class, predicted class).
 * @param labels N class indices in [0, classes). @param predictions N class indices in [0, classes).
 * @throws RangeError for lists of different lengths or an index outside the classes.
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): ConfusionMatrix {
  if (labels.length !== predictions.length) {
    throw new RangeError(`${labels.length} labels for ${predictions.length} predictions`);
  }
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let sample = 0; sample < labels.length; sample++) {
    const row = matrix[labels[sample] ?? -1];
    const column = predictions[sample] ?? -1;
    if (row?.[column] === undefined) {
      throw new RangeError(
        `sample ${sample}: label ${labels[sample]}, prediction ${column}, ${classes} classes`,
      );
    }
    row[column] = (row[column] ?? 0) + 1;
  }
  return matrix;
}

/** The share of samples on the diagonal; undefined without samples. */
export function accuracy(matrix: ConfusionMatrix): MetricValue {
  const total = sum(matrix.map(sum));
  if (total === 0) return undefinedBecause('no samples');
  return defined(sum(matrix.map((row, index) => row[index] ?? 0)) / total);
}

/** Recall of each class; undefined for a class without samples. */
export function perClassRecall(matrix: ConfusionMatrix): MetricValue[] {
  return matrix.map((row, index) => {
    const samples = sum(row);
    return samples === 0 ? undefinedBecause('no samples') : defined((row[index] ?? 0) / samples);
  });
}

/**
 * Mean recall over the classes present (scikit-learn's `balanced_accuracy_score`). It says over how
 * many classes; undefined without samples.
 * @param names class names, for the reasons.
 */
export function macroRecall(matrix: ConfusionMatrix, names?: readonly string[]): MetricValue {
  const recalls = perClassRecall(matrix).map((metric, index) => ({
    name: names?.[index] ?? `class ${index}`,
    metric,
  }));
  return meanOverNamed(recalls);
}

/**
 * Cohen's κ with quadratic weights (i − j)² over all K classes in their order (Cohen 1968;
 * scikit-learn's `cohen_kappa_score(weights='quadratic')`):
 * 1 − Σ w·observed / Σ w·expected, expected from the margins.
 * Undefined where chance alone leaves no disagreement: every label and prediction in one class.
 */
export function quadraticKappa(matrix: ConfusionMatrix): MetricValue {
  const rowSums = matrix.map(sum);
  const columnSums = matrix.map((_, column) => sum(matrix.map((row) => row[column] ?? 0)));
  const total = sum(rowSums);
  if (total === 0) return undefinedBecause('no samples');
  let observed = 0;
  let expected = 0;
  for (const [i, row] of matrix.entries()) {
    for (const [j, count] of row.entries()) {
      const weight = (i - j) ** 2;
      observed += weight * count;
      expected += (weight * (rowSums[i] ?? 0) * (columnSums[j] ?? 0)) / total;
    }
  }
  if (expected === 0) {
    return undefinedBecause('every label and every prediction is in one class');
  }
  return defined(1 - observed / expected);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
