/** Training, validation and test splits of a data set (METHODS: data sets). */
import { hashText, RequestError } from '../../util/index.ts';
import {
  classCounts,
  type DataSet,
  type SplitName,
  type SplitSettings,
  splitNames,
} from '../dataSet.ts';
import { shortList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { allocateUnits, stratify } from './allocate.ts';
import { checkLeakage } from './leakage.ts';
import { MersenneTwister } from './mersenneTwister.ts';
import { unitsOf } from './units.ts';

/** Positions of samples in the data set, each list in ascending order. */
export interface Splits {
  train: number[];
  val: number[];
  test: number[];
  /** What a user should know of them. */
  notes: string[];
}

export type SplitOptions = Partial<SplitSettings> & { seed: number };

/**
 * Splits a data set: as it says itself where it does; else by class, and by group where there are
 * groups. A group and byte-identical files are never divided. What the data set leaves open (a
 * validation split beside train/ and test/) is taken from its training samples.
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
  const given = dataset.samples.some(({ split }) => split !== undefined);
  const parts =
    settings.method === 'released-code'
      ? releasedCode(dataset, settings.ratios)
      : given
        ? completeGiven(dataset, settings, options.seed)
        : balanced(dataset, allOf(dataset), settings.ratios, options.seed);
  for (const name of splitNames) parts[name].sort((a, b) => a - b);
  const splits: Splits = { ...parts, notes: [] };
  requireFilled(dataset, splits);
  splits.notes.push(...checkLeakage(dataset, splits, settings.leakage));
  splits.notes.push(...absenceNotes(dataset, splits));
  return splits;
}

/** Identifies splits of a data set by what is in them, for a run's identity. */
export function splitsIdentity(dataset: DataSet, splits: Splits): string {
  const lists = splitNames.map((name) => splits[name].join(','));
  return hashText([dataset.identity, ...lists].join('\n'));
}

type Parts = Record<SplitName, number[]>;

function allOf(dataset: DataSet): number[] {
  return dataset.samples.map((_, index) => index);
}

/** By class where samples stand alone, by units where they do not or carry several labels. */
function divide(
  dataset: DataSet,
  indices: readonly number[],
  shares: readonly number[],
  seed: number,
): number[][] {
  const units = unitsOf(dataset, indices);
  const alone = units.length === indices.length && dataset.task !== 'multilabel';
  return alone
    ? stratify(dataset, indices, shares, seed)
    : allocateUnits(dataset, units, shares, seed);
}

function balanced(
  dataset: DataSet,
  indices: readonly number[],
  ratios: readonly number[],
  seed: number,
): Parts {
  const [train = [], val = [], test = []] = divide(dataset, indices, ratios, seed);
  return { train, val, test };
}

/** Given splits as they are; a missing one is taken from the training samples, by its ratio. */
function completeGiven(dataset: DataSet, settings: SplitSettings, seed: number): Parts {
  const parts: Parts = { train: [], val: [], test: [] };
  const open: string[] = [];
  dataset.samples.forEach(({ id, split }, index) => {
    if (split === undefined) open.push(id);
    else parts[split].push(index);
  });
  if (open.length > 0) {
    throw new RequestError({
      where: dataset.name,
      expected: 'a split for every sample or for none',
      got: `none for ${shortList(open)}`,
    });
  }
  const [trainRatio, valRatio, testRatio] = settings.ratios;
  for (const [name, ratio, other] of [
    ['test', testRatio, parts.val.length > 0 ? 0 : valRatio],
    ['val', valRatio, 0],
  ] as const) {
    if (parts[name].length > 0) continue;
    const share = ratio / (trainRatio + ratio + other);
    const [kept = [], taken = []] = divide(dataset, parts.train, [1 - share, share], seed);
    parts.train = kept;
    parts[name] = taken;
  }
  return parts;
}

/**
 * The order of `random.Random(42).shuffle`, then validation and test from its head and training from
 * its tail: `get_validation_ids` and the data sets of the paper's released code.
 */
function releasedCode(dataset: DataSet, [, val, test]: readonly [number, number, number]): Parts {
  const order = new MersenneTwister(42).shuffle(allOf(dataset));
  const held = Math.floor(order.length * (val + test));
  const middle = Math.floor(held / 2);
  return {
    train: order.slice(held),
    val: order.slice(0, middle),
    test: order.slice(middle, held),
  };
}

/** @throws RequestError that says which split is empty and how many samples there are. */
export function requireFilled(dataset: DataSet, splits: Parts): void {
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
