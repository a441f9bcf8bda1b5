/** Training, validation and test splits of a data set (METHODS: data sets). */
import { hashText, RequestError } from '../../util/index.ts';
import {
  classCounts,
  type DataSet,
  isLabelled,
  type SplitSettings,
  splitNames,
} from '../dataSet.ts';
import { shortList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { checkLeakage } from './leakage.ts';
import { allOf, divideDataSet, type Parts } from './parts.ts';
import { takeSubset } from './subset.ts';
import { unitsOf } from './units.ts';

/** Positions of samples in the data set, each list in ascending order. */
export interface Splits {
  train: number[];
  val: number[];
  test: number[];
  /** Training samples that a subset leaves out. */
  unused: number[];
  /** What a user should know of them. */
  notes: string[];
}

export type SplitOptions = Partial<SplitSettings> & { seed: number };

/**
 * Splits a data set: as it says itself where it does; else by class, and by group where there are
 * groups. A group and byte-identical files are never divided. What the data set leaves open (a
 * validation split beside train/ and test/) is taken from its training samples. Last, a subset of the
 * training split is taken where the settings ask for one.
 *
 * Equal arguments give equal splits on every machine.
 * @param options the seed, and settings in place of the data set's own.
 * @throws RequestError where a split would be empty, or given splits leak into each other.
 */
export function makeSplits(dataset: DataSet, options: SplitOptions): Splits {
  const settings: SplitSettings = {
    ...dataset.split,
    ...options,
    ratios: splitSettings({ ratios: [...(options.ratios ?? dataset.split.ratios)] }).ratios,
  };
  const parts = divideDataSet(dataset, settings, options.seed);
  for (const name of splitNames) parts[name].sort((a, b) => a - b);
  requireFilled(dataset, parts);
  const notes = checkLeakage(dataset, parts, settings.leakage);
  const splits = withSubset(dataset, { ...parts, unused: [], notes }, settings, options.seed);
  splits.notes.push(...absenceNotes(dataset, splits));
  return splits;
}

/** The splits with no more of the training samples than the settings ask for. */
export function withSubset(
  dataset: DataSet,
  splits: Splits,
  { subset }: Pick<SplitSettings, 'subset'>,
  seed: number,
): Splits {
  if (!subset) return splits;
  const { kept, unused, notes } = takeSubset(dataset, splits.train, subset, seed);
  return { ...splits, train: kept, unused, notes: [...splits.notes, ...notes] };
}

/** Identifies splits of a data set by what is in them, for a run's identity. */
export function splitsIdentity(dataset: DataSet, splits: Splits): string {
  const lists = splitNames.map((name) => splits[name].join(','));
  return hashText([dataset.identity, ...lists].join('\n'));
}

/** @throws RequestError that says which split is empty and how many samples there are. */
export function requireFilled(dataset: DataSet, splits: Parts): void {
  if (!isLabelled(dataset)) {
    throw new RequestError({
      where: dataset.name,
      expected: 'a data set with labels',
      got: 'images alone',
      hint: 'name it by folder: (a folder for each class) or csv: (paths and labels)',
    });
  }
  const empty = splitNames.filter((name) => splits[name].length === 0);
  if (empty.length === 0) return;
  const units = unitsOf(dataset, allOf(dataset)).length;
  const count = dataset.samples.length;
  throw new RequestError({
    where: `${dataset.name}: splits`,
    expected: 'at least one sample in each of train, val and test',
    got: `none in ${empty.join(' and ')}, of ${count} samples in ${units} groups or single samples`,
    hint: 'more images, more groups, or other split ratios',
  });
}

/** Classes that a split lacks: what is not trained cannot be tested, and the reverse. */
function absenceNotes(dataset: DataSet, splits: Parts): string[] {
  const total = classCounts(dataset);
  const single = dataset.classes.filter((_, index) => total[index] === 1);
  const notes = single.map((name) => `a single sample of ${name}: it can only be in one split`);
  for (const split of splitNames) {
    const counts = classCounts(dataset, splits[split]);
    const absent = dataset.classes.filter((_, index) => !counts[index] && total[index]);
    if (absent.length > 0) {
      const effect = split === 'train' ? 'never trained' : 'left out of means over classes';
      notes.push(`${split} has no sample of ${shortList(absent)}: ${effect}`);
    }
  }
  return notes;
}
