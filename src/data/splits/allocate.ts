/** Dividing samples into parts of given shares, alike in their classes. */
import { RandomStream } from '../../util/index.ts';
import type { DataSet } from '../dataSet.ts';
import type { Unit } from './units.ts';

/**
 * Each sample a unit, one class each: every class is shuffled and divided by itself. What a class's
 * share leaves over after rounding down goes to the parts that are furthest behind over all classes
 * so far, so that the parts come out right in sum as well. A class of one goes to the first part.
 *
 * @param shares sum to 1. @returns for each part the positions in it, sorted.
 */
export function stratify(
  dataset: DataSet,
  indices: readonly number[],
  shares: readonly number[],
  seed: number,
): number[][] {
  const parts = shares.map((): number[] => []);
  const byClass = new Map<number, number[]>();
  for (const index of indices) {
    const label = Number(dataset.samples[index]?.label);
    const members = byClass.get(label);
    if (members) members.push(index);
    else byClass.set(label, [index]);
  }
  const behind = shares.map(() => 0);
  for (const [label, members] of [...byClass].sort(([a], [b]) => a - b)) {
    const order = new RandomStream('split', seed, label).shuffle(members);
    const counts = divideCount(order.length, shares, behind);
    let start = 0;
    parts.forEach((part, position) => {
      const count = counts[position] ?? 0;
      part.push(...order.slice(start, start + count));
      start += count;
    });
  }
  return parts.map((part) => part.sort((a, b) => a - b));
}

/**
 * `count` divided by `shares`. `behind` carries from class to class how many samples each part is
 * short of its exact share, and is updated.
 */
function divideCount(count: number, shares: readonly number[], behind: number[]): number[] {
  const exact = shares.map((share) => share * count);
  const counts =
    count === 1
      ? shares.map((_, position) => (position === 0 ? 1 : 0))
      : // The small addend undoes rounding in products such as 0.1 * 30.
        exact.map((value) => Math.floor(value + 1e-9));
  for (let left = count - sum(counts); left > 0; left--) {
    const wanted = exact.map(
      (value, position) => value - (counts[position] ?? 0) + (behind[position] ?? 0),
    );
    // No part gets more than its share rounded up.
    const open = wanted.map((value, position) =>
      (counts[position] ?? 0) < Math.ceil((exact[position] ?? 0) - 1e-9)
        ? value
        : Number.NEGATIVE_INFINITY,
    );
    const best = open.indexOf(Math.max(...open));
    counts[best] = (counts[best] ?? 0) + 1;
  }
  exact.forEach((value, position) => {
    behind[position] = (behind[position] ?? 0) + value - (counts[position] ?? 0);
  });
  return counts;
}

/**
 * Units of several samples, or samples of several labels: units are shuffled, then placed from the
 * largest to the smallest where they bring the classes nearest to their shares. The cost of giving a
 * part that has `c` of `t` wanted samples of a class `g` more is the growth of (c - t)² / t; it
 * prefers the part that is relatively emptiest and shuns overfilling a small one.
 *
 * @param shares sum to 1. @returns for each part the positions in it, sorted.
 */
export function allocateUnits(
  dataset: DataSet,
  units: readonly Unit[],
  shares: readonly number[],
  seed: number,
): number[][] {
  // One column for each class and one for all samples together.
  const width = dataset.classes.length + 1;
  const weigh = (unit: Unit): Float64Array => {
    const weights = new Float64Array(width);
    for (const index of unit) {
      const label = dataset.samples[index]?.label ?? 0;
      if (typeof label === 'number') add(weights, label, 1);
      else
        for (const [position, value] of label.entries()) if (value === 1) add(weights, position, 1);
      add(weights, width - 1, 1);
    }
    return weights;
  };
  const shuffled = new RandomStream('split', seed, 'groups').shuffle(units);
  const ordered = shuffled
    .map((unit) => ({ unit, weights: weigh(unit) }))
    .sort((a, b) => b.unit.length - a.unit.length);
  const totals = new Float64Array(width);
  for (const { weights } of ordered) accumulate(totals, weights);
  const held = shares.map(() => new Float64Array(width));
  const parts = shares.map((): Unit[] => []);
  for (const { unit, weights } of ordered) {
    const costs = shares.map((share, position) =>
      placementCost(weights, held[position] ?? new Float64Array(width), totals, share),
    );
    const best = costs.indexOf(Math.min(...costs));
    parts[best]?.push(unit);
    accumulate(held[best] ?? new Float64Array(width), weights);
  }
  fillEmpty(parts);
  return parts.map((part) => part.flat().sort((a, b) => a - b));
}

function placementCost(
  weights: Float64Array,
  held: Float64Array,
  totals: Float64Array,
  share: number,
): number {
  let cost = 0;
  for (let column = 0; column < weights.length; column++) {
    const more = weights[column] ?? 0;
    if (more === 0) continue;
    const wanted = share * (totals[column] ?? 0);
    cost += (2 * more * ((held[column] ?? 0) - wanted) + more * more) / wanted;
  }
  return cost;
}

/** An empty part takes the smallest unit of the fullest part that can spare one. */
function fillEmpty(parts: Unit[][]): void {
  for (const part of parts) {
    if (part.length > 0) continue;
    const donor = parts.reduce((best, other) => (other.length > best.length ? other : best));
    if (donor.length < 2) continue;
    const smallest = donor.reduce((best, unit) => (unit.length < best.length ? unit : best));
    donor.splice(donor.indexOf(smallest), 1);
    part.push(smallest);
  }
}

function add(counts: Float64Array, position: number, amount: number): void {
  counts[position] = (counts[position] ?? 0) + amount;
}

function accumulate(counts: Float64Array, more: Float64Array): void {
  for (let column = 0; column < more.length; column++) add(counts, column, more[column] ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
