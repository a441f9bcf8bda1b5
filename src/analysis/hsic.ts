/**
 * Similarity of representations: linear CKA (Kornblith et al. 2019) with the unbiased estimator of HSIC
 * (Song et al. 2012, equation 5) over mini-batches (Nguyen et al. 2021).
 *
 * With K̃ and L̃ the Gram matrices of n samples with their diagonals set to 0,
 *   HSIC₁(K, L) = [tr(K̃ L̃) + 1ᵀK̃1 · 1ᵀL̃1 / ((n−1)(n−2)) − 2/(n−2) · 1ᵀK̃L̃1] / (n (n−3)).
 * That is the inner product of the U-centred matrices over n (n−3) (Székely and Rizzo 2014), which needs
 * each matrix centred once, not once a pair. U-centring takes off whatever has the form a_i + a_j, so
 * that features may be centred before: the same value, with less cancellation in float32.
 */
import { centredGram, fromTypedArray, ops, scope, type Tensor } from '../tensor/index.ts';

/** A batch with fewer samples has no unbiased estimate. */
export const FEWEST_SAMPLES = 4;

/** Features of which a Gram matrix is summed up at once: what batch 128 has of them stays in the cache. */
const FEATURES_AT_ONCE = 8192;

/**
 * Share of the features' squared length below which their differences between samples are rounding of
 * float32: a tap that says the same of every sample.
 */
const CONSTANT = 1e-11;

export interface Gram {
  /** [n, n], row by row: products of centred features, with the diagonal. */
  values: Float64Array;
  samples: number;
  /** Whether the features are the same for all samples. */
  constant: boolean;
}

/**
 * The Gram matrix of a batch's centred features: float32 products, float64 sums.
 * @param parts the batch in parts, each [b, …]; everything but the first dimension is flattened.
 */
export function gramMatrix(parts: readonly Tensor[]): Gram {
  return scope(() => {
    const flat = parts.map(flattened);
    const { products, squaredMeans } = centredGram(flat) ?? sumOfProducts(flat);
    const samples = products.shape[0] ?? 0;
    const values = products.toTypedArray();
    if (!(values instanceof Float64Array)) throw new Error('a Gram matrix that is not float64');
    let spread = 0;
    for (let row = 0; row < samples; row++) spread += values[row * samples + row] ?? 0;
    const constant = spread <= CONSTANT * (spread + samples * squaredMeans);
    return { values, samples, constant };
  });
}

/** What `centredGram` has, by LibTorch's operators, some features at a time. */
function sumOfProducts(flat: readonly Tensor[]): { products: Tensor; squaredMeans: number } {
  const samples = flat.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  const features = flat[0]?.shape[1] ?? 0;
  const device = flat[0]?.device;
  const half = Math.ceil(samples / 2);
  const zeros = (...shape: number[]): Tensor => ops.zeros(shape, { dtype: 'float64', device });
  const sums = {
    upper: zeros(half, samples),
    lower: zeros(samples - half, samples - half),
    means: zeros(),
  };
  for (let start = 0; start < features; start += FEATURES_AT_ONCE) {
    const length = Math.min(FEATURES_AT_ONCE, features - start);
    scope(() => {
      const pieces = flat.map((part) =>
        ops.narrow(part, 1, start, length).to({ dtype: 'float32' }),
      );
      const block = pieces.length === 1 && pieces[0] ? pieces[0] : ops.cat(pieces, 0);
      const mean = ops.mean(block, [0], true);
      const centred = ops.sub(block, mean);
      // The matrix is symmetric: its lower left quarter is not computed.
      const first = ops.narrow(centred, 0, 0, half);
      const second = ops.narrow(centred, 0, half, samples - half);
      ops.add_(sums.upper, ops.mm(first, ops.t(centred)));
      ops.add_(sums.lower, ops.mm(second, ops.t(second)));
      ops.add_(sums.means, ops.sum(ops.mul(mean, mean)));
    });
  }
  const corner = ops.t(ops.narrow(sums.upper, 1, half, samples - half));
  const bottom = ops.cat([corner, sums.lower], 1);
  return { products: ops.cat([sums.upper, bottom], 0), squaredMeans: sums.means.item() };
}

/** [b, features] without a copy where the layout allows; the order of features does not matter. */
function flattened(value: Tensor): Tensor {
  const samples = value.shape[0] ?? 0;
  const dense =
    value.shape.length === 4 && !value.isContiguous() ? ops.permute(value, [0, 2, 3, 1]) : value;
  return ops.reshape(dense, [samples, value.elementCount / Math.max(1, samples)]);
}

/** The Gram matrix of features side by side is the sum of theirs. */
export function addGrams(left: Gram, right: Gram): Gram {
  return {
    values: left.values.map((value, at) => value + (right.values[at] ?? 0)),
    samples: left.samples,
    constant: left.constant && right.constant,
  };
}

/** Whether any number of a Gram matrix is NaN or infinite. */
export function isFiniteGram({ values }: Gram): boolean {
  return values.every(Number.isFinite);
}

/** A Gram matrix after U-centring, diagonal 0: what HSIC is an inner product of. */
export interface CentredGram {
  /** [n, n], row by row. */
  values: Float64Array;
  samples: number;
}

/** The U-centred matrix; all 0 for constant features. */
export function uCentre({ values, samples: n, constant }: Gram): CentredGram {
  const centred = new Float64Array(values.length);
  if (constant) return { values: centred, samples: n };
  const rowSums = new Float64Array(n);
  let total = 0;
  for (let row = 0; row < n; row++) {
    let sum = -(values[row * n + row] ?? 0);
    for (let at = row * n; at < (row + 1) * n; at++) sum += values[at] ?? 0;
    rowSums[row] = sum;
    total += sum;
  }
  const shift = total / ((n - 1) * (n - 2));
  for (let row = 0; row < n; row++) {
    const start = row * n;
    const own = (rowSums[row] ?? 0) / (n - 2) - shift;
    for (let column = 0; column < n; column++) {
      centred[start + column] =
        (values[start + column] ?? 0) - own - (rowSums[column] ?? 0) / (n - 2);
    }
    centred[start + row] = 0;
  }
  return { values: centred, samples: n };
}

/**
 * Unbiased HSIC of every pair of a left and a right tap on one batch, by one product of matrices.
 * @param left, right of the same n samples. @returns [left, right], row by row.
 */
export function crossHsic(
  left: readonly CentredGram[],
  right: readonly CentredGram[],
): Float64Array {
  return scope(() => {
    const samples = left[0]?.samples ?? 0;
    const stacked = (list: readonly CentredGram[]): Tensor =>
      ops.stack(
        list.map(({ values }) => fromTypedArray(values, [samples * samples])),
        0,
      );
    const products = ops.mm(stacked(left), ops.t(stacked(right))).toArray();
    const scale = 1 / (samples * (samples - 3));
    return Float64Array.from(products, (value) => value * scale);
  });
}

/** Unbiased HSIC of two Gram matrices of at least {@link FEWEST_SAMPLES} samples. */
export function unbiasedHsic(left: Gram, right: Gram): number {
  return crossHsic([uCentre(left)], [uCentre(right)])[0] ?? Number.NaN;
}
