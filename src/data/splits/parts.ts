/** The ways in which a data set is divided into training, validation and test. */
import { RequestError } from '../../util/index.ts';
import type { DataSet, SplitName, SplitSettings } from '../dataSet.ts';
import { shortList } from '../problems.ts';
import { allocateUnits, stratify } from './allocate.ts';
import { MersenneTwister } from './mersenneTwister.ts';
import { unitsOf } from './units.ts';

/** Positions of samples in the data set. */
export type Parts = Record<SplitName, number[]>;

export function allOf(dataset: DataSet): number[] {
  return dataset.samples.map((_, index) => index);
}

/** As the settings and the data set say. */
export function divideDataSet(dataset: DataSet, settings: SplitSettings, seed: number): Parts {
  if (settings.method === 'released-code') return releasedCode(dataset, settings.ratios);
  const given = dataset.samples.some(({ split }) => split !== undefined);
  if (given) requireAllGiven(dataset);
  if (settings.fold) return crossValidation(dataset, settings, settings.fold, seed);
  if (given) return completeGiven(dataset, settings, seed);
  const [train = [], val = [], test = []] = divide(dataset, allOf(dataset), settings.ratios, seed);
  return { train, val, test };
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

/** @throws RequestError where some samples have a given split and others do not. */
function requireAllGiven(dataset: DataSet): void {
  const open = dataset.samples.filter(({ split }) => split === undefined).map(({ id }) => id);
  if (open.length === 0) return;
  throw new RequestError({
    where: dataset.name,
    expected: 'a split for every sample or for none',
    got: `none for ${shortList(open)}`,
  });
}

function givenParts(dataset: DataSet): Parts {
  const parts: Parts = { train: [], val: [], test: [] };
  dataset.samples.forEach(({ split }, index) => {
    if (split !== undefined) parts[split].push(index);
  });
  return parts;
}

/** Given splits as they are; a missing one is taken from the training samples, by its ratio. */
function completeGiven(dataset: DataSet, settings: SplitSettings, seed: number): Parts {
  const parts = givenParts(dataset);
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
 * One fold of a cross-validation: number `at` of `of` equal parts is the test split, and the others are
 * training and validation by their ratios. Where the data set brings a test split, that one stays, and
 * the fold is the validation split of the rest.
 */
function crossValidation(
  dataset: DataSet,
  settings: SplitSettings,
  { at, of }: { at: number; of: number },
  seed: number,
): Parts {
  const { test } = givenParts(dataset);
  const held = new Set(test);
  const open = allOf(dataset).filter((index) => !held.has(index));
  const shares = Array.from({ length: of }, () => 1 / of);
  const folds = divide(dataset, open, shares, seed);
  const fold = folds[at] ?? [];
  const rest = folds.flatMap((members, position) => (position === at ? [] : members));
  if (test.length > 0) return { train: rest, val: fold, test };
  const [trainRatio, valRatio] = settings.ratios;
  const share = valRatio / (trainRatio + valRatio);
  rest.sort((a, b) => a - b);
  const [train = [], val = []] = divide(dataset, rest, [1 - share, share], seed);
  return { train, val, test: fold };
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
