/** What a network said about a split, as plain arrays: the input of every metric. */

export type Task = 'multiclass' | 'binary' | 'multilabel' | 'ordinal';
export type MetricName = 'kappa' | 'recall' | 'auc';

/** How many outputs a network has for a task: one for binary, else one per class or label. */
export function outputCount(task: Task, classes: number): number {
  return task === 'binary' ? 1 : classes;
}

export interface Predictions {
  /** [N, outputs], row by row, before softmax or sigmoid. */
  logits: Float32Array;
  outputs: number;
  /** [N] class indices; for a multi-label task [N, outputs] of 0 and 1 (-1: unknown), row by row. */
  labels: Float64Array;
  /** [N] positions in the data set. */
  indices: number[];
}

/** The numbers of column `column` of a row-major [N, width] array. */
export function columnOf(values: ArrayLike<number>, width: number, column: number): Float64Array {
  const rows = values.length / width;
  const result = new Float64Array(rows);
  for (let row = 0; row < rows; row++) result[row] = values[row * width + column] ?? Number.NaN;
  return result;
}

/**
 * The predicted class of each row: the highest logit, the first of equals; with one output, 1 where
 * the logit is above 0 (probability above one half).
 */
export function predictedClasses({ logits, outputs }: Predictions): number[] {
  const rows = logits.length / outputs;
  return Array.from({ length: rows }, (_, row) => {
    const start = row * outputs;
    if (outputs === 1) return (logits[start] ?? 0) > 0 ? 1 : 0;
    let best = 0;
    for (let column = 1; column < outputs; column++) {
      if ((logits[start + column] ?? 0) > (logits[start + best] ?? 0)) best = column;
    }
    return best;
  });
}

/** Softmax over each row of [N, outputs], in float64. */
export function softmaxRows(logits: ArrayLike<number>, outputs: number): Float64Array {
  const result = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += outputs) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < outputs; k++) highest = Math.max(highest, logits[start + k] ?? Number.NaN);
    let total = 0;
    for (let k = 0; k < outputs; k++) total += Math.exp((logits[start + k] ?? 0) - highest);
    for (let k = 0; k < outputs; k++) {
      result[start + k] = Math.exp((logits[start + k] ?? 0) - highest) / total;
    }
  }
  return result;
}

/**
 * Mean loss over the samples (and labels), in float64: cross-entropy, or binary cross-entropy for
 * binary and multi-label tasks, as in training; unknown labels are left out. NaN without samples.
 */
export function meanLoss(predictions: Predictions, task: Task): number {
  const { logits, labels, outputs } = predictions;
  let total = 0;
  if (task === 'binary' || task === 'multilabel') {
    let known = 0;
    for (let index = 0; index < logits.length; index++) {
      const x = logits[index] ?? 0;
      const target = labels[index] ?? 0;
      if (target < 0) continue;
      known++;
      total += Math.max(x, 0) - x * target + Math.log1p(Math.exp(-Math.abs(x)));
    }
    return total / known;
  }
  for (let row = 0; row < labels.length; row++) {
    let highest = Number.NEGATIVE_INFINITY;
    const start = row * outputs;
    for (let k = 0; k < outputs; k++) highest = Math.max(highest, logits[start + k] ?? Number.NaN);
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += Math.exp((logits[start + k] ?? 0) - highest);
    total += highest + Math.log(sum) - (logits[start + (labels[row] ?? 0)] ?? Number.NaN);
  }
  return total / labels.length;
}
