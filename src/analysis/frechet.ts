/**
 * The Fréchet distance between Gaussians (Dowson and Landau 1982) and, of Inception features, FID (Heusel
 * et al. 2017):
 *   d² = ‖μ₁ − μ₂‖² + tr Σ₁ + tr Σ₂ − 2 tr (Σ₁ Σ₂)^½.
 * The last term is the sum of the square roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is symmetric and
 * has no negative eigenvalues: nothing imaginary arises, as it does from a square root of the product.
 * All in float64.
 */
import { fromTypedArray, ops, scope, type Tensor } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';

/** Mean and covariance (n − 1) of features. */
export interface Moments {
  /** [D]. */
  mean: Float64Array;
  /** [D, D], row by row. */
  covariance: Float64Array;
  /** How many samples they are of; unknown of statistics from a file. */
  samples?: number;
}

export interface FrechetDistance {
  distance: number;
  /** ‖μ₁ − μ₂‖². */
  meanTerm: number;
  /** tr Σ₁ + tr Σ₂ − 2 tr (Σ₁ Σ₂)^½. */
  covarianceTerm: number;
}

/**
 * The squared Fréchet distance.
 * @throws WorkError for statistics of different widths, or that are not finite.
 */
export function frechetDistance(left: Moments, right: Moments): FrechetDistance {
  requireSound(left, 'the first statistics');
  requireSound(right, 'the second statistics');
  const width = left.mean.length;
  if (right.mean.length !== width) {
    throw new WorkError({
      where: 'Fréchet distance',
      expected: `statistics of ${width} features on both sides`,
      got: String(right.mean.length),
      hint: 'both must come from the same extractor',
    });
  }
  const meanTerm = left.mean.reduce(
    (sum, value, at) => sum + (value - (right.mean[at] ?? Number.NaN)) ** 2,
    0,
  );
  if (sameNumbers(left.covariance, right.covariance)) {
    return { distance: meanTerm, meanTerm, covarianceTerm: 0 };
  }
  const root = traceOfRootProduct(left.covariance, right.covariance, width);
  const traces = trace(left.covariance, width) + trace(right.covariance, width);
  // A set against its own copy in another order leaves rounding of either sign.
  const covarianceTerm = Math.max(0, traces - 2 * root);
  return { distance: meanTerm + covarianceTerm, meanTerm, covarianceTerm };
}

/**
 * tr (Σ₁ Σ₂)^½ of two covariances [D, D]. With Σ₁ = V Λ Vᵀ the eigenvalues are those of
 * Λ^½ Vᵀ Σ₂ V Λ^½, and directions in which Σ₁ has no spread add nothing and are left out; where Σ₁ has a
 * Cholesky factor L they are those of Lᵀ Σ₂ L, which is found faster.
 */
export function traceOfRootProduct(left: Float64Array, right: Float64Array, width: number): number {
  return scope(() => {
    const first = fromTypedArray(left, [width, width]);
    const second = fromTypedArray(right, [width, width]);
    const factor = choleskyFactor(first) ?? spectralFactor(first);
    const product = ops.mm(ops.t(factor), ops.mm(second, factor));
    const symmetric = ops.mul(ops.add(product, ops.t(product)), 0.5);
    const eigenvalues = ops.linalgEigvalsh(symmetric);
    return ops.sum(ops.sqrt(ops.clamp(eigenvalues, 0))).item();
  });
}

/** Spread below this share of the greatest is rounding; a factor that reaches it is not used. */
const ILL_CONDITIONED = 1e-10;

/** L of Σ = L Lᵀ; `undefined` where Σ is singular or nearly so, as that of fewer samples than features. */
function choleskyFactor(matrix: Tensor): Tensor | undefined {
  const [factor, info] = ops.linalgCholeskyEx(matrix);
  if (info.item() !== 0) return undefined;
  const diagonal = ops.diagonal(factor);
  const least = ops.min(diagonal).item();
  const greatest = ops.max(diagonal).item();
  return (least / greatest) ** 2 > ILL_CONDITIONED ? factor : undefined;
}

/** V Λ^½ of Σ = V Λ Vᵀ, without the directions that have no spread: [D, rank]. */
function spectralFactor(matrix: Tensor): Tensor {
  const width = matrix.shape[0] ?? 0;
  const [eigenvalues, vectors] = ops.linalgEigh(matrix);
  const values = eigenvalues.toArray();
  // In ascending order. The threshold is that of numpy's and PyTorch's rank.
  const threshold = width * Number.EPSILON * Math.max(...values.map(Math.abs), 0);
  const dropped = values.filter((value) => value <= threshold).length;
  const kept = width - dropped;
  const roots = ops.sqrt(ops.narrow(eigenvalues, 0, dropped, kept));
  return ops.mul(ops.narrow(vectors, 1, dropped, kept), roots);
}

function requireSound({ mean, covariance }: Moments, where: string): void {
  const finite = mean.every(Number.isFinite) && covariance.every(Number.isFinite);
  if (finite && covariance.length === mean.length ** 2 && mean.length > 0) return;
  throw new WorkError({
    where,
    expected: 'a mean [D] and a covariance [D, D] of finite numbers',
    got: finite
      ? `${mean.length} and ${covariance.length} numbers`
      : 'NaN or infinity (of a single image there is no covariance)',
  });
}

function sameNumbers(left: Float64Array, right: Float64Array): boolean {
  return left.every((value, at) => value === right[at]);
}

function trace(matrix: Float64Array, width: number): number {
  let sum = 0;
  for (let row = 0; row < width; row++) sum += matrix[row * width + row] ?? Number.NaN;
  return sum;
}

/** Mean and covariance of features that come batch by batch; memory is that of one covariance. */
export class MomentAccumulator {
  readonly #width: number;
  readonly #products: Float64Array;
  readonly #sums: Float64Array;
  #shift: Float64Array | undefined;
  #samples = 0;

  constructor(width: number) {
    this.#width = width;
    this.#products = new Float64Array(width * width);
    this.#sums = new Float64Array(width);
  }

  /** @param features [B, D]. */
  add(features: Tensor): void {
    scope(() => {
      const batch = features.to({ device: 'cpu', dtype: 'float64' });
      // Taken off from all, so that sums of squares do not cancel; nearly the mean is enough.
      this.#shift ??= Float64Array.from(ops.mean(batch, [0]).toArray());
      const centred = ops.sub(batch, fromTypedArray(this.#shift, [this.#width]));
      addInto(this.#products, ops.mm(ops.t(centred), centred).view());
      addInto(this.#sums, ops.sum(centred, [0]).view());
      this.#samples += features.shape[0] ?? 0;
    });
  }

  /** @throws WorkError for fewer than two samples. */
  finish(): Moments {
    const n = this.#samples;
    if (n < 2) {
      throw new WorkError({
        where: 'feature statistics',
        expected: 'at least two images',
        got: String(n),
      });
    }
    const width = this.#width;
    const offsets = this.#sums.map((sum) => sum / n);
    const mean = offsets.map((offset, at) => offset + (this.#shift?.[at] ?? 0));
    const covariance = new Float64Array(width * width);
    for (let row = 0; row < width; row++) {
      for (let column = 0; column < width; column++) {
        const at = row * width + column;
        const product = (this.#sums[row] ?? 0) * (offsets[column] ?? 0);
        covariance[at] = ((this.#products[at] ?? 0) - product) / (n - 1);
      }
    }
    return { mean, covariance, samples: n };
  }
}

function addInto(sums: Float64Array, values: ArrayLike<number | bigint>): void {
  for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + Number(values[at] ?? 0);
}
