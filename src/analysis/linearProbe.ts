/**
 * Linear probe: logistic regression with L2 on a tap's features, by L-BFGS in float64. The objective is
 * scikit-learn's `LogisticRegression(C)` over N:
 *   mean loss + ‖W‖² / (2 C N), the intercept free,
 * multinomial for classes, one-against-none for two classes and for labels. Features are brought to mean
 * 0 and deviation 1 over the training split, and C is chosen by the metric on the validation split.
 */
import type { MetricValue } from '../eval/index.ts';
import { fromTypedArray, ops, scope, type Tensor } from '../tensor/index.ts';
import { type LbfgsOptions, minimise } from './lbfgs.ts';
import { type Embeddings, NonFiniteRow } from './neighbours.ts';
import {
  evaluateScores,
  type ScoreEvaluation,
  type Scores,
  type TaskDescription,
  targetRows,
} from './scores.ts';

/** Samples of a split: features, and labels as in `Predictions`. */
export interface ProbeSplit {
  features: Embeddings;
  labels: ArrayLike<number>;
}

/** C of scikit-learn: the smaller, the stronger the pull of the weights to 0. Strongest first. */
export const DEFAULT_STRENGTHS: readonly number[] = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100];

/** scikit-learn's own: where weights are barely held back, the last digits take most of the time. */
const LIMITS: LbfgsOptions = { maxIterations: 100, tolerance: 1e-4 };

export interface ProbeFit {
  /** [width, outputs], row by row, for features as they were given. */
  weights: Float64Array;
  /** [outputs]. */
  intercept: Float64Array;
  outputs: number;
  converged: boolean;
}

export interface ProbeResult {
  /** The C that was chosen, by the metric on the validation split; of equals the strongest. */
  strength: number;
  /** Metric on the validation split of each C that was tried. */
  tried: { strength: number; validation: MetricValue; converged: boolean }[];
  validation: ScoreEvaluation;
  test: ScoreEvaluation;
}

/** The best of several strengths, judged on the test split. `undefined` values count as the worst. */
export function linearProbe(
  { train, validation, test }: { train: ProbeSplit; validation: ProbeSplit; test: ProbeSplit },
  description: TaskDescription,
  strengths: readonly number[] = DEFAULT_STRENGTHS,
): ProbeResult {
  return scope(() => {
    const scaling = scalingOf(train.features);
    const data = [train, validation, test].map(({ features }) => scaled(features, scaling));
    const [trainData, validationData, testData] = data as [Tensor, Tensor, Tensor];
    let start: Float64Array | undefined;
    const fits = strengths.map((strength) => {
      const fit = fitScaled(trainData, train.labels, description, { strength, start, ...LIMITS });
      start = fit.parameters;
      const evaluation = evaluateScores(
        predict(validationData, fit.parameters, description),
        validation.labels,
        description,
      );
      return { strength, fit, evaluation };
    });
    const best = fits.reduce((first, other) =>
      scoreOf(other.evaluation) > scoreOf(first.evaluation) ? other : first,
    );
    return {
      strength: best.strength,
      tried: fits.map(({ strength, fit, evaluation }) => ({
        strength,
        validation: evaluation.primary,
        converged: fit.converged,
      })),
      validation: best.evaluation,
      test: evaluateScores(
        predict(testData, best.fit.parameters, description),
        test.labels,
        description,
      ),
    };
  });
}

function scoreOf({ primary }: ScoreEvaluation): number {
  return primary.value ?? Number.NEGATIVE_INFINITY;
}

/** One fit on features as they are, as scikit-learn's `LogisticRegression(C=strength)`. */
export function fitLogistic(
  { features, labels }: ProbeSplit,
  description: TaskDescription,
  strength: number,
): ProbeFit {
  return scope(() => {
    const data = scaled(features, undefined);
    const { parameters, converged } = fitScaled(data, labels, description, { strength });
    const outputs = columnsOf(description);
    const weights = parameters.slice(0, features.width * outputs);
    return { weights, intercept: parameters.slice(weights.length), outputs, converged };
  });
}

function isTwoClasses({ task, classes }: TaskDescription): boolean {
  return task !== 'multilabel' && classes.length === 2;
}

/** Two classes have one column, that of the second; labels and more classes one each. */
function columnsOf(description: TaskDescription): number {
  return isTwoClasses(description) ? 1 : description.classes.length;
}

/** Whether each column stands for itself (sigmoid) or all together (softmax). */
function isIndependent(description: TaskDescription): boolean {
  return description.task === 'multilabel' || isTwoClasses(description);
}

interface Scaling {
  mean: Float64Array;
  deviation: Float64Array;
}

/** @throws NonFiniteRow */
function scalingOf({ values, rows, width }: Embeddings): Scaling {
  const mean = new Float64Array(width);
  const deviation = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      mean[column] = (mean[column] ?? 0) + (values[row * width + column] ?? 0) / rows;
    }
  }
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      const difference = (values[row * width + column] ?? 0) - (mean[column] ?? 0);
      deviation[column] = (deviation[column] ?? 0) + difference ** 2 / rows;
    }
  }
  return {
    mean,
    // A feature that never changes stays 0.
    deviation: deviation.map((square) => (square > 0 ? Math.sqrt(square) : 1)),
  };
}

/** Features as a float64 tensor [rows, width]. @throws NonFiniteRow */
function scaled({ values, rows, width }: Embeddings, scaling: Scaling | undefined): Tensor {
  const result = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      const value = values[at] ?? Number.NaN;
      if (!Number.isFinite(value)) throw new NonFiniteRow(row);
      result[at] = scaling
        ? (value - (scaling.mean[column] ?? 0)) / (scaling.deviation[column] ?? 1)
        : value;
    }
  }
  return fromTypedArray(result, [rows, width]);
}

function fitScaled(
  data: Tensor,
  labels: ArrayLike<number>,
  description: TaskDescription,
  { strength, start, ...limits }: { strength: number; start?: Float64Array } & LbfgsOptions,
): { parameters: Float64Array; converged: boolean } {
  const [rows = 0, width = 0] = data.shape;
  const columns = columnsOf(description);
  const targets = fromTypedArray(targetColumns(labels, description), [rows, columns]);
  const penalty = 1 / (strength * rows);
  const size = width * columns;
  const { point, converged } = minimise(
    (parameters, gradient) => {
      return scope(() => {
        const logits = logitsOf(data, parameters, columns);
        const { loss, residual } = lossOf(logits, targets, isIndependent(description));
        const byWeights = ops.mm(ops.t(data), residual).view();
        const byIntercept = ops.sum(residual, [0]).view();
        let squares = 0;
        for (let at = 0; at < size; at++) {
          const weight = parameters[at] ?? 0;
          squares += weight * weight;
          gradient[at] = Number(byWeights[at]) / rows + penalty * weight;
        }
        for (let at = 0; at < columns; at++) gradient[size + at] = Number(byIntercept[at]) / rows;
        return loss / rows + (penalty * squares) / 2;
      });
    },
    start ?? new Float64Array(size + columns),
    limits,
  );
  return { parameters: point, converged };
}

function logitsOf(data: Tensor, parameters: Float64Array, columns: number): Tensor {
  const width = data.shape[1] ?? 0;
  const weights = fromTypedArray(parameters.slice(0, width * columns), [width, columns]);
  const intercept = fromTypedArray(parameters.slice(width * columns), [columns]);
  return ops.add(ops.mm(data, weights), intercept);
}

/** The summed loss, and probabilities minus targets [rows, columns]. */
function lossOf(
  logits: Tensor,
  targets: Tensor,
  independent: boolean,
): { loss: number; residual: Tensor } {
  if (!independent) {
    const logs = ops.logSoftmax(logits, 1);
    const loss = -ops.sum(ops.mul(logs, targets)).item();
    return { loss, residual: ops.sub(ops.exp(logs), targets) };
  }
  // log(1 + e^x) − x y, without overflow.
  const magnitude = ops.neg(ops.abs(logits));
  const tail = ops.log(ops.add(ops.exp(magnitude), 1));
  const loss = ops.sum(ops.sub(ops.add(ops.relu(logits), tail), ops.mul(logits, targets))).item();
  return { loss, residual: ops.sub(ops.sigmoid(logits), targets) };
}

function targetColumns(labels: ArrayLike<number>, description: TaskDescription): Float64Array {
  return isTwoClasses(description) ? Float64Array.from(labels) : targetRows(labels, description);
}

/** Probabilities, one column a class or label. */
function predict(data: Tensor, parameters: Float64Array, description: TaskDescription): Scores {
  const rows = data.shape[0] ?? 0;
  const columns = columnsOf(description);
  return scope(() => {
    const logits = logitsOf(data, parameters, columns);
    const probabilities = isIndependent(description) ? ops.sigmoid(logits) : ops.softmax(logits, 1);
    const values = Float64Array.from(probabilities.toArray());
    if (!isTwoClasses(description)) return { values, rows };
    const both = new Float64Array(2 * rows);
    values.forEach((value, row) => {
      both[2 * row] = 1 - value;
      both[2 * row + 1] = value;
    });
    return { values: both, rows };
  });
}
