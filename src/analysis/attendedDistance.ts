/**
 * Mean attended distance (METHODS; the paper's appendix E, after Dosovitskiy et al. 2021, figure 7): how
 * far, in pixels, a head looks from a patch, on average over patches and images.
 */
import { fromTypedArray, ops, scope, type Tensor } from '../tensor/index.ts';

/**
 * Distances between the centres of patches of a square grid, in pixels: [patches, patches], patches row
 * by row.
 */
export function patchDistances(grid: number, patchSize: number): Float64Array {
  const patches = grid ** 2;
  const distances = new Float64Array(patches ** 2);
  for (let query = 0; query < patches; query++) {
    for (let key = 0; key < patches; key++) {
      const down = Math.floor(query / grid) - Math.floor(key / grid);
      const right = (query % grid) - (key % grid);
      distances[query * patches + key] = patchSize * Math.hypot(down, right);
    }
  }
  return distances;
}

/** The distance that a head has that attends to all patches alike. */
export function uniformDistance(grid: number, patchSize: number): number {
  const distances = patchDistances(grid, patchSize);
  return distances.reduce((sum, value) => sum + value, 0) / distances.length;
}

/** Sums over the images of one attention module, head by head. */
export class AttendedDistance {
  readonly #distances: Float64Array;
  readonly #patches: number;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  #queries = 0;

  constructor(heads: number, grid: number, patchSize: number) {
    this.#distances = patchDistances(grid, patchSize);
    this.#patches = grid ** 2;
    this.#sums = new Float64Array(heads);
    this.#counts = new Float64Array(heads);
  }

  /**
   * @param weights [B, heads, T, T], T the class token and the patches; each row sums to 1. The class
   *   token's row and column are left out and the rows brought to a sum of 1 again.
   * @returns the first image of the batch with weights that are not finite, or `undefined`.
   */
  add(weights: Tensor): number | undefined {
    const [batch = 0, heads = 0] = weights.shape;
    const patches = this.#patches;
    const { reached, totals } = scope(() => {
      const own = ops.narrow(ops.narrow(weights, 2, 1, patches), 3, 1, patches);
      const rows = own.to({ device: 'cpu', dtype: 'float64' });
      const distances = fromTypedArray(this.#distances, [patches, patches]);
      return {
        reached: ops.sum(ops.mul(rows, distances), [3]).toTypedArray(),
        totals: ops.sum(rows, [3]).toTypedArray(),
      };
    });
    for (let image = 0; image < batch; image++) {
      for (let head = 0; head < heads; head++) {
        const start = (image * heads + head) * patches;
        for (let at = start; at < start + patches; at++) {
          const total = Number(totals[at] ?? Number.NaN);
          if (!Number.isFinite(total)) return image;
          // A patch that attends to the class token alone looks nowhere.
          if (total <= 0) continue;
          this.#sums[head] = (this.#sums[head] ?? 0) + Number(reached[at]) / total;
          this.#counts[head] = (this.#counts[head] ?? 0) + 1;
        }
      }
    }
    this.#queries += batch * patches;
    return undefined;
  }

  /** The mean of each head; `undefined` for one whose patches all attend to the class token alone. */
  heads(): (number | undefined)[] {
    return Array.from(this.#sums, (sum, head) => {
      const count = this.#counts[head] ?? 0;
      return count === 0 ? undefined : sum / count;
    });
  }

  /** Patches, by head, that attended to the class token alone and do not count. */
  skipped(): number[] {
    return Array.from(this.#counts, (count) => this.#queries - count);
  }
}
