/** Training on less: parts of a training split, each inside the larger ones and like the whole. */
import { RandomStream, RequestError } from '../../util/index.ts';
import { classCounts, type DataSet, type TrainingSubset } from '../dataSet.ts';
import { type Unit, unitsOf } from './units.ts';

/** A unit and where it comes in its stratum, from 0 to 1. */
interface Placed {
  unit: Unit;
  key: number;
}

/**
 * The samples of `train` that `subset` keeps. For equal seeds, a smaller subset lies inside a larger
 * one; no group is divided, so that with groups the number may differ a little from the one asked for.
 * @param train positions in the data set. @returns both lists in ascending order.
 * @throws RequestError where there are fewer samples than asked for.
 */
export function takeSubset(
  dataset: DataSet,
  train: readonly number[],
  subset: TrainingSubset,
  seed: number,
): { kept: number[]; unused: number[]; notes: string[] } {
  const wanted =
    'fraction' in subset ? Math.max(1, Math.round(subset.fraction * train.length)) : subset.samples;
  const asked = 'fraction' in subset ? `fraction ${subset.fraction}` : `nTrain ${wanted}`;
  if (wanted > train.length) {
    throw new RequestError({
      where: `${dataset.name}: nTrain`,
      expected: `at most the ${train.length} samples of the training split`,
      got: String(wanted),
    });
  }
  const order = nestedOrder(dataset, train, seed);
  const count = nearestCount(order, wanted);
  const ascending = (units: readonly Unit[]): number[] => units.flat().sort((a, b) => a - b);
  const kept = ascending(order.slice(0, count));
  const grouped = kept.length === wanted ? '' : '; groups are kept whole';
  const notes =
    kept.length < train.length
      ? [`training on ${kept.length} of ${train.length} samples (${asked}${grouped})`]
      : [];
  return { kept, unused: ascending(order.slice(count)), notes };
}

/**
 * All units in an order of which every head is like the whole: the units of each stratum (those that
 * share their rarest class) are shuffled and spread evenly. One unit of each class comes before all
 * others, so that small subsets miss a class only where they have fewer units than there are classes.
 */
export function nestedOrder(dataset: DataSet, indices: readonly number[], seed: number): Unit[] {
  const counts = classCounts(dataset, indices);
  const strata = new Map<number, Unit[]>();
  for (const unit of unitsOf(dataset, indices)) {
    const stratum = rarestClass(dataset, unit, counts);
    const members = strata.get(stratum);
    if (members) members.push(unit);
    else strata.set(stratum, [unit]);
  }
  const placed = [...strata]
    .sort(([a], [b]) => a - b)
    .flatMap(([stratum, members]) => spread(members, new RandomStream('subset', seed, stratum)))
    .sort((a, b) => a.key - b.key)
    .map(({ unit }) => unit);
  const first = firstOfEachClass(dataset, placed, counts);
  const chosen = new Set(first);
  return [...first, ...placed.filter((unit) => !chosen.has(unit))];
}

/** The units in random order, each where its samples come in the stratum: (before + u · size) / all. */
function spread(members: readonly Unit[], random: RandomStream): Placed[] {
  const total = members.reduce((sum, { length }) => sum + length, 0);
  const offset = random.next();
  let before = 0;
  return random.shuffle(members).map((unit) => {
    const key = (before + offset * unit.length) / total;
    before += unit.length;
    return { unit, key };
  });
}

/** For each class, from the most common on, the first unit that has it. */
function firstOfEachClass(
  dataset: DataSet,
  order: readonly Unit[],
  counts: readonly number[],
): Unit[] {
  const firsts = new Map<number, Unit>();
  for (const unit of order) {
    for (const label of classesIn(dataset, unit)) if (!firsts.has(label)) firsts.set(label, unit);
  }
  const common = [...firsts].sort(([a], [b]) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
  return [...new Set(common.map(([, unit]) => unit))];
}

/** How many units come nearest to `wanted` samples, at least one; rises with `wanted`. */
function nearestCount(order: readonly Unit[], wanted: number): number {
  let held = 0;
  for (const [count, unit] of order.entries()) {
    const next = held + unit.length;
    if (next >= wanted) return count === 0 || next - wanted < wanted - held ? count + 1 : count;
    held = next;
  }
  return order.length;
}

function rarestClass(dataset: DataSet, unit: Unit, counts: readonly number[]): number {
  const present = [...classesIn(dataset, unit)];
  return present.reduce(
    (rarest, label) =>
      rarest < 0 || (counts[label] ?? 0) < (counts[rarest] ?? 0) ? label : rarest,
    -1,
  );
}

function classesIn(dataset: DataSet, unit: Unit): Set<number> {
  const found = new Set<number>();
  for (const index of unit) {
    const label = dataset.samples[index]?.label;
    if (typeof label === 'number') found.add(label);
    else
      label?.forEach((value, position) => {
        if (value === 1) found.add(position);
      });
  }
  return found;
}
