/** What a split may not divide: the samples of a group, and byte-identical files. */
import type { DataSet } from '../dataSet.ts';

/** Positions of samples that stay together, in order of their first. */
export type Unit = readonly number[];

/**
 * The units among `indices`: samples joined by a common group or by identical contents, also over
 * several steps (a patient whose picture occurs under another patient joins the two).
 */
export function unitsOf(dataset: DataSet, indices: readonly number[]): Unit[] {
  const parent = new Map<number, number>(indices.map((index) => [index, index]));
  const find = (index: number): number => {
    let root = index;
    while (parent.get(root) !== root) root = parent.get(root) ?? root;
    let step = index;
    while (step !== root) {
      const next = parent.get(step) ?? root;
      parent.set(step, root);
      step = next;
    }
    return root;
  };
  const first = new Map<string, number>();
  for (const index of indices) {
    for (const key of keysOf(dataset, index)) {
      const other = first.get(key);
      if (other === undefined) first.set(key, index);
      else parent.set(find(index), find(other));
    }
  }
  const units = new Map<number, number[]>();
  for (const index of indices) {
    const root = find(index);
    const unit = units.get(root);
    if (unit) unit.push(index);
    else units.set(root, [index]);
  }
  return [...units.values()];
}

/** What joins a sample to others: its group and its contents, where they are known. */
export function keysOf(dataset: DataSet, index: number): string[] {
  const sample = dataset.samples[index];
  if (!sample) return [];
  const keys = sample.group === undefined ? [] : [`group ${sample.group}`];
  return sample.hash.startsWith('unreadable') ? keys : [...keys, `file ${sample.hash}`];
}
