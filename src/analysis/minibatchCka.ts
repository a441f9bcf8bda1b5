/** CKA of all pairs of taps of two networks, from their Gram matrices batch by batch. */
import { type CentredGram, crossHsic, FEWEST_SAMPLES } from './hsic.ts';

/**
 * `ratio-of-means`: mean HSIC(X, Y) / √(mean HSIC(X, X) · mean HSIC(Y, Y)) over the batches.
 * `mean-of-ratios`: the mean of each batch's own ratio, as the paper's released code has it.
 */
export type CkaEstimator = 'ratio-of-means' | 'mean-of-ratios';

/** A tap that has no CKA, and why. */
export interface UndefinedTap {
  side: 'left' | 'right';
  tap: string;
  reason: string;
}

export interface CkaMatrix {
  /** [left taps][right taps]; `null` where a tap is constant. */
  values: (number | null)[][];
  undefinedTaps: UndefinedTap[];
  /** Batches that count. */
  batches: number;
  /** Batches with fewer than four samples, which have no estimate. */
  batchesLeftOut: number;
  /** Mean HSIC over the batches: what the values are made of. Row by row. */
  hsic: { cross: Float64Array; left: Float64Array; right: Float64Array };
}

export class MinibatchCka {
  readonly #left: readonly string[];
  readonly #right: readonly string[];
  readonly #cross: Float64Array;
  readonly #leftSelf: Float64Array;
  readonly #rightSelf: Float64Array;
  readonly #ratios: Float64Array;
  readonly #ratioCounts: Float64Array;
  #batches = 0;
  #leftOut = 0;

  /** @param left taps of one network. @param right taps of the other, or of the same. */
  constructor(left: readonly string[], right: readonly string[]) {
    this.#left = left;
    this.#right = right;
    this.#cross = new Float64Array(left.length * right.length);
    this.#leftSelf = new Float64Array(left.length);
    this.#rightSelf = new Float64Array(right.length);
    this.#ratios = new Float64Array(this.#cross.length);
    this.#ratioCounts = new Float64Array(this.#cross.length);
  }

  /** Of the same samples, in the order of the taps. */
  add(left: readonly CentredGram[], right: readonly CentredGram[]): void {
    const samples = left[0]?.samples ?? 0;
    if (samples < FEWEST_SAMPLES) {
      this.#leftOut++;
      return;
    }
    this.#batches++;
    const cross = crossHsic(left, right);
    const leftSelf = left.map(selfHsic);
    const rightSelf = right.map(selfHsic);
    accumulate(this.#cross, cross);
    accumulate(this.#leftSelf, leftSelf);
    accumulate(this.#rightSelf, rightSelf);
    for (const [row, own] of leftSelf.entries()) {
      for (const [column, other] of rightSelf.entries()) {
        if (own <= 0 || other <= 0) continue;
        const at = row * rightSelf.length + column;
        const ratio = (cross[at] ?? 0) / Math.sqrt(own * other);
        this.#ratios[at] = (this.#ratios[at] ?? 0) + ratio;
        this.#ratioCounts[at] = (this.#ratioCounts[at] ?? 0) + 1;
      }
    }
  }

  result(estimator: CkaEstimator): CkaMatrix {
    const mean = (sums: Float64Array): Float64Array =>
      sums.map((sum) => sum / Math.max(1, this.#batches));
    const hsic = {
      cross: mean(this.#cross),
      left: mean(this.#leftSelf),
      right: mean(this.#rightSelf),
    };
    const valueAt = (row: number, column: number): number | null => {
      const at = row * this.#right.length + column;
      if (estimator === 'mean-of-ratios') {
        const count = this.#ratioCounts[at] ?? 0;
        return count === 0 ? null : (this.#ratios[at] ?? 0) / count;
      }
      const scale = Math.sqrt((hsic.left[row] ?? 0) * (hsic.right[column] ?? 0));
      return scale > 0 ? (hsic.cross[at] ?? 0) / scale : null;
    };
    return {
      values: this.#left.map((_, row) => this.#right.map((_tap, column) => valueAt(row, column))),
      undefinedTaps: [
        ...this.#undefinedTaps('left', this.#left, hsic.left),
        ...this.#undefinedTaps('right', this.#right, hsic.right),
      ],
      batches: this.#batches,
      batchesLeftOut: this.#leftOut,
      hsic,
    };
  }

  #undefinedTaps(
    side: UndefinedTap['side'],
    taps: readonly string[],
    self: Float64Array,
  ): UndefinedTap[] {
    const reason =
      this.#batches === 0
        ? `no batch of at least ${FEWEST_SAMPLES} images`
        : 'constant: the same for every image of each batch';
    return taps.flatMap((tap, index) => ((self[index] ?? 0) > 0 ? [] : [{ side, tap, reason }]));
  }
}

function accumulate(sums: Float64Array, values: ArrayLike<number>): void {
  for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (values[at] ?? 0);
}

/** HSIC of a tap with itself: a squared length, never negative. */
function selfHsic({ values, samples }: CentredGram): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum / (samples * (samples - 3));
}
