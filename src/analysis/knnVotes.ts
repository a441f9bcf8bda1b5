/**
 * What the nearest neighbours say of a sample (METHODS: k-NN; Wu et al. 2018, as DINO's `eval_knn.py`):
 * every neighbour votes for its own class or labels with weight exp(similarity / 0.1).
 */
import type { Neighbours } from './neighbours.ts';
import { type Scores, type TaskDescription, targetRows } from './scores.ts';

export type VoteWeights = 'exponential' | 'uniform';

/** The paper's k; a smaller bank has all its samples vote. */
export const DEFAULT_NEIGHBOURS = 200;

export const DEFAULT_TEMPERATURE = 0.1;

export interface VoteOptions {
  weights: VoteWeights;
  /** Of exponential weights. */
  temperature: number;
}

/**
 * The share of the votes that each class, or each label, gets: [queries, classes].
 * @param labels of the bank: class indices [N], or [N, labels] of 0 and 1.
 */
export function vote(
  neighbours: Neighbours,
  labels: ArrayLike<number>,
  description: TaskDescription,
  { weights, temperature }: VoteOptions,
): Scores {
  const { k, indices, similarities } = neighbours;
  const width = description.classes.length;
  const targets = targetRows(labels, description);
  const rows = k === 0 ? 0 : indices.length / k;
  const values = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const highest = similarities[row * k] ?? 0;
    let total = 0;
    for (let place = row * k; place < (row + 1) * k; place++) {
      // Relative to the nearest, so that a small temperature does not overflow; shares are the same.
      const weight =
        weights === 'uniform' ? 1 : Math.exp(((similarities[place] ?? 0) - highest) / temperature);
      total += weight;
      const target = (indices[place] ?? 0) * width;
      for (let column = 0; column < width; column++) {
        const at = row * width + column;
        values[at] = (values[at] ?? 0) + weight * (targets[target + column] ?? 0);
      }
    }
    for (let at = row * width; at < (row + 1) * width; at++) values[at] = (values[at] ?? 0) / total;
  }
  return { values, rows };
}
