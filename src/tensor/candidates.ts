/** What may be among the nearest neighbours of some queries, from native/analysis/. */
import { loadExtension } from './extensions.ts';
import { invoke, Operator } from './operator.ts';
import { list } from './results.ts';
import type { Tensor } from './tensor.ts';

const operator = new Operator('carryover::candidates');
const isLoaded = loadExtension('analysis') !== undefined;
export interface Candidates {
  /** [queries, room] float32: similarities, in the order of the bank's rows. */
  values: Tensor;
  /** [queries, room] int32: those rows. */
  indices: Tensor;
  /** [queries] int32: how many there are; -1 where there are more than room. */
  counts: Tensor;
}

/**
 * The rows of a bank whose product with a query may be among its `k` greatest even if each is off by half of `margin`.
 * @param queries [queries, width] float32, finite, contiguous on the processor
 * @param bank [rows, width] likewise, of at least `k` rows
 * @returns undefined where the addon is not there (`CARRYOVER_ANALYSIS=0` switches it off) or the process has no products
 *   of matrices that are fast on one thread
 */
export function findCandidates(
  queries: Tensor,
  bank: Tensor,
  k: number,
  margin: number,
): Candidates | undefined {
  if (!isLoaded) return undefined;
  const [values, indices, counts] = list(invoke(operator, queries.handle, bank.handle, k, margin));
  return values && indices && counts && { values, indices, counts };
}
