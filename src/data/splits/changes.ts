/** What has become of a data set since a splits file was made of it. */
import { classText, type DataSet, splitNames } from '../dataSet.ts';
import { shortList } from '../problems.ts';
import { findColumn, readTable } from '../table.ts';
import type { Splits } from './makeSplits.ts';

/** Names in the description of a change at most. */
const MOST_NAMES = 20;

/**
 * Compares a splits file with the data set as it is now.
 * @param splits what the data set's settings make of it now: samples that are in none of them are not
 *   missed in the file
 * @returns how many samples were added, removed, relabelled and put into another group, with up to twenty
 *   names of each; `undefined` where nothing has changed. Which split a sample is in is not compared.
 */
export async function describeChanges(
  path: string,
  dataset: DataSet,
  splits: Splits,
): Promise<string | undefined> {
  const table = await readTable(path);
  const sampleColumn = findColumn(table, 'sample', 'sample', [], true) ?? '';
  const samples = new Map(dataset.samples.map((sample) => [sample.id, sample]));
  const seen = new Set<string>();
  const removed: string[] = [];
  const relabelled: string[] = [];
  const regrouped: string[] = [];
  for (const { cells } of table.rows) {
    const id = cells.get(sampleColumn) ?? '';
    seen.add(id);
    const sample = samples.get(id);
    if (!sample) {
      removed.push(id);
      continue;
    }
    const [label, group] = [cells.get('class'), cells.get('group')];
    const now = classText(dataset, sample);
    if (label !== undefined && label !== now) relabelled.push(`${id} (${label}, now ${now})`);
    if (group !== undefined && group !== (sample.group ?? '')) regrouped.push(id);
  }
  const used = [...splitNames, 'unused' as const].flatMap((name) => splits[name]);
  const added = used.flatMap((index) => {
    const id = dataset.samples[index]?.id ?? '';
    return seen.has(id) ? [] : [id];
  });
  const parts = Object.entries({ added, removed, relabelled, 'in another group': regrouped });
  const told = parts.flatMap(([what, names]) =>
    names.length === 0 ? [] : [`${names.length} ${what}: ${shortList(names.sort(), MOST_NAMES)}`],
  );
  return told.length === 0 ? undefined : told.join('; ');
}
