/** Metrics of scores for a yes-or-no label, by rank. Equal to scikit-learn's (test/golden/eval). */
import { defined, type MetricValue, undefinedBecause } from './metricValue.ts';

/** Samples with one score: how many positive, how many negative. */
interface TieGroup {
  positives: number;
  negatives: number;
}

/**
 * Area under the ROC curve by the rank statistic (Mann-Whitney): the share of (positive, negative)
 * pairs in which the positive scores higher, ties counting half.
 * @param labels N values: 1 for positive, 0 for negative, -1 for unknown, which is left out.
 * @param scores N numbers, higher for positive.
 * Undefined where a class is absent or a score is NaN.
 */
export function rocAuc(labels: ArrayLike<number>, scores: ArrayLike<number>): MetricValue {
  const ranked = rank(labels, scores);
  if (typeof ranked === 'string') return undefinedBecause(ranked);
  const { groups, positives, negatives } = ranked;
  if (negatives === 0) return undefinedBecause('no negative samples');
  if (positives === 0) return undefinedBecause('no positive samples');
  let negativesBelow = negatives;
  let pairs = 0;
  for (const group of groups) {
    negativesBelow -= group.negatives;
    pairs += group.positives * (negativesBelow + group.negatives / 2);
  }
  return defined(pairs / (positives * negatives));
}

/**
 * Average precision: Σ (R_n − R_{n−1})·P_n over the distinct scores from the highest down
 * (scikit-learn's `average_precision_score`; no interpolation).
 * Undefined without a positive sample, or where a score is NaN.
 */
export function averagePrecision(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): MetricValue {
  const ranked = rank(labels, scores);
  if (typeof ranked === 'string') return undefinedBecause(ranked);
  const { groups, positives } = ranked;
  if (positives === 0) return undefinedBecause('no positive samples');
  let truePositives = 0;
  let taken = 0;
  let area = 0;
  for (const group of groups) {
    truePositives += group.positives;
    taken += group.positives + group.negatives;
    area += (group.positives / positives) * (truePositives / taken);
  }
  return defined(area);
}

/** Groups of equal scores, the highest first, or the reason why there is no ranking. */
function rank(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): { groups: TieGroup[]; positives: number; negatives: number } | string {
  if (labels.length !== scores.length) {
    throw new RangeError(`${labels.length} labels for ${scores.length} scores`);
  }
  const order = Array.from(scores, (_, index) => index).filter((index) => labels[index] !== -1);
  const score = (index: number): number => scores[index] ?? Number.NaN;
  if (order.some((index) => Number.isNaN(score(index)))) return 'a score is not a number';
  // Compared, not subtracted: infinite scores are legal and their difference is NaN.
  order.sort((a, b) => (score(a) < score(b) ? 1 : score(a) > score(b) ? -1 : 0));
  const groups: TieGroup[] = [];
  let positives = 0;
  let negatives = 0;
  let previous: number | undefined;
  for (const index of order) {
    if (groups.length === 0 || score(index) !== previous) {
      groups.push({ positives: 0, negatives: 0 });
      previous = score(index);
    }
    const group = groups[groups.length - 1] as TieGroup;
    if (labels[index] === 1) {
      group.positives++;
      positives++;
    } else if (labels[index] === 0) {
      group.negatives++;
      negatives++;
    } else {
      throw new RangeError(`sample ${index}: label ${labels[index]} is neither 0 nor 1`);
    }
  }
  return { groups, positives, negatives };
}
