/** Splits on disk: a CSV file of sample, group, class and split; and as a table to print. */
import { formatCsv } from '../../results/index.ts';
import { RequestError, writeFileWhole } from '../../util/index.ts';
import { classCounts, classText, type DataSet, splitNames } from '../dataSet.ts';
import { problemList } from '../problems.ts';
import { findColumn, readTable } from '../table.ts';
import { checkLeakage } from './leakage.ts';
import { requireFilled, type Splits, withSubset } from './makeSplits.ts';

/** What a file can say of a sample: its split, or that a subset of the training split leaves it out. */
const splitWords = [...splitNames, 'unused'] as const;

/** Writes one row for each sample of the splits, in the data set's order, whole or not at all. */
export async function writeSplits(path: string, dataset: DataSet, splits: Splits): Promise<void> {
  const rows = splitWords
    .flatMap((split) => splits[split].map((index) => ({ split, index })))
    .sort((a, b) => a.index - b.index)
    .map(({ split, index }) => {
      const sample = dataset.samples[index];
      return sample ? [sample.id, sample.group, classText(dataset, sample), split] : [];
    });
  await writeFileWhole(path, formatCsv(['sample', 'group', 'class', 'split'], rows));
}

/**
 * Splits of `dataset` as a file says; the order within a split is the data set's. A sample that the
 * file does not name is in no split, which a note tells. A file that leaves no training sample unused
 * is cut down to the subset that the data set's settings ask for.
 * @param options.seed of the subset.
 * @throws RequestError for samples that the data set does not have, repeated or relabelled ones, an
 * empty split, and leakage (unless the data set's settings say to report it).
 */
export async function readSplits(
  path: string,
  dataset: DataSet,
  { seed = 0 }: { seed?: number } = {},
): Promise<Splits> {
  const table = await readTable(path);
  const sampleColumn = findColumn(table, 'sample', 'sample', [], true) ?? '';
  const splitColumn = findColumn(table, 'split', 'split', [], true) ?? '';
  const position = new Map(dataset.samples.map(({ id }, index) => [id.trim(), index]));
  const seen = new Map<number, number>();
  const splits: Splits = { train: [], val: [], test: [], unused: [], notes: [] };
  const problems: string[] = [];
  for (const { line, cells } of table.rows) {
    const id = cells.get(sampleColumn) ?? '';
    const index = position.get(id);
    const split = splitWords.find((name) => name === cells.get(splitColumn));
    const sample = index === undefined ? undefined : dataset.samples[index];
    if (index === undefined || !sample) {
      problems.push(`row ${line}: no sample ${id} in ${dataset.name}`);
      continue;
    }
    const earlier = seen.get(index);
    seen.set(index, line);
    if (!split) problems.push(`row ${line}: unknown split "${cells.get(splitColumn)}"`);
    else if (earlier !== undefined) problems.push(`row ${line}: ${id} again, as in row ${earlier}`);
    else splits[split].push(index);
    const written = cells.get('class');
    const actual = classText(dataset, sample);
    if (written !== undefined && written !== actual.trim()) {
      problems.push(`row ${line}: ${id} is of class ${actual}, not ${written}`);
    }
  }
  if (problems.length > 0) {
    throw new RequestError({
      where: path,
      expected: `samples of ${dataset.name}, each in one of train, val and test`,
      got: problemList(problems, 'fault'),
      hint: 'was the file made for another data set or version of it?',
    });
  }
  for (const name of splitWords) splits[name].sort((a, b) => a - b);
  requireFilled(dataset, splits);
  splits.notes.push(...checkLeakage(dataset, splits, dataset.split.leakage));
  const left = dataset.samples.length - seen.size;
  if (left > 0) splits.notes.push(`${left} samples are in no split of ${path}`);
  if (splits.unused.length > 0) {
    splits.notes.push(`${splits.unused.length} training samples are left unused by ${path}`);
    return splits;
  }
  return withSubset(dataset, splits, dataset.split, seed);
}

/** A table of samples by class and split, and the notes, for the console. */
export function describeSplits(dataset: DataSet, splits: Splits): string {
  const names = splits.unused.length > 0 ? splitWords : splitNames;
  const header = [dataset.task === 'multilabel' ? 'label' : 'class', ...names, 'all'];
  const counts = names.map((name) => classCounts(dataset, splits[name]));
  const rows = dataset.classes.map((name, index) => {
    const values = counts.map((count) => count[index] ?? 0);
    return [name, ...values.map(String), String(values.reduce((a, b) => a + b, 0))];
  });
  const sizes = names.map((name) => splits[name].length);
  const total = ['samples', ...sizes.map(String), String(sizes.reduce((a, b) => a + b, 0))];
  const lines = [header, ...rows, total];
  const widths = header.map((_, column) => Math.max(...lines.map((l) => l[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return [...text, ...splits.notes.map((note) => `note: ${note}`)].join('\n');
}
