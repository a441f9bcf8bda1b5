/**
 * Calibration: whether a network is right as often as it says (Guo et al. 2017). Expected calibration
 * error over bins of equal width.
 */
import {
  columnOf,
  type MetricValue,
  outputCount,
  type Predictions,
  softmaxRows,
  undefinedBecause,
} from '../eval/index.ts';
import type { TaskDescription } from './scores.ts';

export interface ReliabilityBin {
  /** Confidences in (low, high], the first bin with its lower bound. */
  low: number;
  high: number;
  count: number;
  /** Mean confidence of the bin, absent where it is empty. */
  confidence?: number;
  /** Share of the bin that is right (classes), or positive (two classes, labels). */
  frequency?: number;
}

export interface Calibration {
  /** Σ over bins of (share of the samples) · |frequency − confidence|. */
  expectedError: MetricValue;
  /** The greatest |frequency − confidence| of a bin. */
  greatestError: MetricValue;
  bins: ReliabilityBin[];
}

export const DEFAULT_BINS = 15;

/** One forecast: how sure, and whether it came true. */
interface Forecasts {
  confidence: Float64Array;
  outcome: Float64Array;
}

/**
 * Reliability of forecasts.
 * @param confidence N probabilities. @param outcome N times 1 (came true), 0, or -1: unknown, left out.
 */
export function reliability(
  confidence: ArrayLike<number>,
  outcome: ArrayLike<number>,
  binCount = DEFAULT_BINS,
): Calibration {
  const counts = new Float64Array(binCount);
  const sums = new Float64Array(binCount);
  const hits = new Float64Array(binCount);
  let known = 0;
  for (let sample = 0; sample < confidence.length; sample++) {
    if ((outcome[sample] ?? 0) < 0) continue;
    known++;
    const value = confidence[sample] ?? Number.NaN;
    const bin = Math.min(binCount - 1, Math.max(0, Math.ceil(value * binCount) - 1));
    counts[bin] = (counts[bin] ?? 0) + 1;
    sums[bin] = (sums[bin] ?? 0) + value;
    hits[bin] = (hits[bin] ?? 0) + (outcome[sample] ?? 0);
  }
  const bins = Array.from(counts, (count, bin): ReliabilityBin => {
    const bounds = { low: bin / binCount, high: (bin + 1) / binCount, count };
    if (count === 0) return bounds;
    return { ...bounds, confidence: (sums[bin] ?? 0) / count, frequency: (hits[bin] ?? 0) / count };
  });
  if (known === 0) {
    const none = undefinedBecause('no samples');
    return { expectedError: none, greatestError: none, bins };
  }
  const gaps = bins.map(({ confidence: sure = 0, frequency = 0 }) => Math.abs(frequency - sure));
  const expected = gaps.reduce((sum, gap, bin) => sum + gap * (counts[bin] ?? 0), 0);
  return {
    expectedError: { value: expected / known },
    greatestError: { value: Math.max(...gaps) },
    bins,
  };
}

/**
 * Of classes: the probability of the predicted class against being right. Of two classes with one
 * output, and of labels: the probability of the positive against being positive, label by label.
 */
export function calibrationOf(
  predictions: Predictions,
  { task, classes }: TaskDescription,
  binCount = DEFAULT_BINS,
): { overall: Calibration; perLabel?: Record<string, Calibration> } {
  const { logits, labels, outputs } = predictions;
  if (outputs !== outputCount(task, classes.length)) {
    throw new Error(`${outputs} outputs for a ${task} task of ${classes.length} classes`);
  }
  if (task === 'binary' || task === 'multilabel') {
    const probabilities = Float64Array.from(logits, sigmoid);
    const overall = reliability(probabilities, labels, binCount);
    if (task === 'binary') return { overall };
    const perLabel = classes.map((name, index): [string, Calibration] => [
      name,
      reliability(
        columnOf(probabilities, outputs, index),
        columnOf(labels, outputs, index),
        binCount,
      ),
    ]);
    return { overall, perLabel: Object.fromEntries(perLabel) };
  }
  const { confidence, outcome } = topForecasts(logits, labels, outputs);
  return { overall: reliability(confidence, outcome, binCount) };
}

function topForecasts(logits: Float32Array, labels: Float64Array, outputs: number): Forecasts {
  const probabilities = softmaxRows(logits, outputs);
  const confidence = new Float64Array(labels.length);
  const outcome = new Float64Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    let best = 0;
    for (let column = 1; column < outputs; column++) {
      const at = row * outputs;
      if ((probabilities[at + column] ?? 0) > (probabilities[at + best] ?? 0)) best = column;
    }
    confidence[row] = probabilities[row * outputs + best] ?? Number.NaN;
    outcome[row] = best === labels[row] ? 1 : 0;
  }
  return { confidence, outcome };
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
