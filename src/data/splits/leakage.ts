/** Leakage: a group, or the bytes of a file, in more than one split. */
import { RequestError } from '../../util/index.ts';
import { type DataSet, type SplitName, splitNames } from '../dataSet.ts';
import { problemList } from '../problems.ts';
import { keysOf } from './units.ts';

/**
 * Compares every pair of splits.
 * @returns a note where leaks are to be reported only.
 * @throws RequestError that lists the pairs, where a leak is an error.
 */
export function checkLeakage(
  dataset: DataSet,
  splits: Record<SplitName, readonly number[]>,
  policy: 'error' | 'report',
): string[] {
  const pairs = findLeaks(dataset, splits);
  if (pairs.length === 0) return [];
  if (policy === 'report') {
    const list = problemList(pairs, 'leak between splits', 'leaks between splits').trimEnd();
    return [list];
  }
  throw new RequestError({
    where: `${dataset.name}: splits`,
    expected: 'no group and no file in two splits',
    got: problemList(pairs, 'pair'),
    hint: 'correct the splits, or set split.leakage: report to go on all the same',
  });
}

/** One line for each first meeting of a group or a file's contents in a further split. */
function findLeaks(dataset: DataSet, splits: Record<SplitName, readonly number[]>): string[] {
  const first = new Map<string, { split: SplitName; index: number }>();
  const told = new Set<string>();
  const pairs: string[] = [];
  for (const split of splitNames) {
    for (const index of splits[split]) {
      for (const key of keysOf(dataset, index)) {
        const earlier = first.get(key);
        if (!earlier) {
          first.set(key, { split, index });
        } else if (earlier.split !== split && !told.has(`${split} ${key}`)) {
          told.add(`${split} ${key}`);
          const what = key.startsWith('group ') ? `group ${key.slice(6)}` : 'the same bytes';
          const name = (position: number): string => dataset.samples[position]?.id ?? '';
          pairs.push(
            `${what}: ${name(earlier.index)} (${earlier.split}) and ${name(index)} (${split})`,
          );
        }
      }
    }
  }
  return pairs;
}
