/** The single findings of a check. */
import { classCounts, type DataSet, type Sample, splitNames, unknownLabel } from '../dataSet.ts';
import type { ImageStore } from '../images/imageStore.ts';
import type { ImageRecord } from '../images/resizedImage.ts';
import { shortList } from '../problems.ts';
import type { Splits } from '../splits/makeSplits.ts';
import type { NearDuplicate } from './nearDuplicates.ts';
import type {
  ClassReport,
  DataReport,
  DuplicateReport,
  Histogram,
  ImageReport,
  NearDuplicateReport,
  SplitPlace,
} from './report.ts';

const places = [...splitNames, 'unused'] as const;

/** Values of a histogram that are told one by one. */
const mostValues = 8;

export function classReports(dataset: DataSet, splits: Splits | undefined): ClassReport[] {
  const all = classCounts(dataset);
  const parts = places.map((place) => classCounts(dataset, splits?.[place] ?? []));
  return dataset.classes.map((name, index) => ({
    name,
    samples: all[index] ?? 0,
    ...(splits
      ? {
          splits: record((_place, position) => parts[position]?.[index] ?? 0),
        }
      : {}),
  }));
}

function record(
  value: (place: SplitPlace, position: number) => number,
): Record<SplitPlace, number> {
  const [train = 0, val = 0, test = 0, unused = 0] = places.map(value);
  return { train, val, test, unused };
}

export function splitSizes(splits: Splits): Record<SplitPlace, number> {
  return record((place) => splits[place].length);
}

export function groupReport(dataset: DataSet): DataReport['groups'] {
  const sizes = new Map<string, number>();
  for (const { group } of dataset.samples) {
    if (group !== undefined) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  if (sizes.size === 0) return undefined;
  return {
    count: sizes.size,
    largest: [...sizes.values()].reduce((most, size) => Math.max(most, size), 0),
    withoutGroup: dataset.samples.filter(({ group }) => group === undefined).length,
  };
}

/** What is odd about the labels, as warnings. */
export function labelWarnings(dataset: DataSet): string[] {
  const counts = classCounts(dataset);
  const total = dataset.samples.length;
  const named = (test: (count: number) => boolean): string[] =>
    dataset.classes.filter((_, index) => test(counts[index] ?? 0));
  const warnings: string[] = [];
  const single = named((count) => count === 1);
  if (single.length > 0) warnings.push(`a single sample of ${shortList(single)}`);
  const few = named((count) => count > 1 && count < 10);
  if (few.length > 0) warnings.push(`fewer than 10 samples of ${shortList(few)}`);
  const most = Math.max(...counts);
  if (dataset.task !== 'multilabel' && most / total > 0.95) {
    const name = dataset.classes[counts.indexOf(most)];
    warnings.push(`${((100 * most) / total).toFixed(1)} % of the samples are ${name}`);
  }
  if (dataset.task === 'multilabel') {
    const always = named((count) => count === total);
    if (always.length > 0) warnings.push(`every sample has ${shortList(always)}`);
    const lists = dataset.samples.map(({ label }) => (typeof label === 'number' ? [label] : label));
    const empty = lists.filter((label) => !label.includes(1)).length;
    if (empty > 0) warnings.push(`${empty} samples have no label at all`);
    const unknown = lists.flat().filter((value) => value === unknownLabel).length;
    if (unknown > 0) warnings.push(`${unknown} labels are unknown and left out`);
  }
  return warnings;
}

/** Where each sample is. */
export function placeOf(splits: Splits | undefined): Map<number, SplitPlace> {
  return new Map(
    splits ? places.flatMap((place) => splits[place].map((index) => [index, place] as const)) : [],
  );
}

/** Byte-identical files, the sets in the order of their first. */
export function duplicateReports(
  dataset: DataSet,
  where: ReadonlyMap<number, SplitPlace>,
): DuplicateReport[] {
  const sets = new Map<string, number[]>();
  dataset.samples.forEach(({ hash }, index) => {
    if (hash.startsWith('unreadable')) return;
    const same = sets.get(hash);
    if (same) same.push(index);
    else sets.set(hash, [index]);
  });
  return [...sets.values()]
    .filter(({ length }) => length > 1)
    .map((indices) => {
      const samples = indices.flatMap((index) => dataset.samples[index] ?? []);
      return {
        ids: samples.map(({ id }) => id),
        splits: placesOf(indices, where),
        labelsDiffer: labelsDiffer(samples),
      };
    });
}

export function nearDuplicateReports(
  dataset: DataSet,
  pairs: readonly NearDuplicate[],
  where: ReadonlyMap<number, SplitPlace>,
): NearDuplicateReport[] {
  return pairs.map(({ first, second, distance, correlation }) => {
    const samples = [first, second].flatMap((index) => dataset.samples[index] ?? []);
    return {
      first: samples[0]?.id ?? '',
      second: samples[1]?.id ?? '',
      distance,
      correlation: Number(correlation.toFixed(4)),
      splits: placesOf([first, second], where),
      labelsDiffer: labelsDiffer(samples),
    };
  });
}

function placesOf(
  indices: readonly number[],
  where: ReadonlyMap<number, SplitPlace>,
): SplitPlace[] {
  return [...new Set(indices.flatMap((index) => where.get(index) ?? []))];
}

function labelsDiffer(samples: readonly Sample[]): boolean {
  return new Set(samples.map(({ label }) => String(label))).size > 1;
}

/** What the image files are, and the statistics of the training split. */
export function imageReport(
  dataset: DataSet,
  store: ImageStore,
  train: readonly number[],
  resize: number,
): ImageReport {
  const unreadable: { id: string; reason: string }[] = [];
  const records: ImageRecord[] = [];
  dataset.samples.forEach(({ id }, index) => {
    const found = store.record(index);
    if (typeof found === 'string') unreadable.push({ id, reason: found });
    else records.push(found);
  });
  const known = (count: number): string => (count > 0 ? String(count) : 'unknown');
  return {
    readable: records.length,
    unreadable,
    width: rangeOf(records.map(({ width }) => width)),
    height: rangeOf(records.map(({ height }) => height)),
    sizes: histogram(records.map(({ width, height }) => `${width} × ${height}`)),
    channels: histogram(records.map(({ source }) => known(source.channels))),
    bits: histogram(records.map(({ source }) => known(source.bits))),
    formats: histogram(records.map(({ source }) => source.format)),
    ...statisticsOf(store, train),
    resize,
  };
}

/** Empty where the training split has no readable image. */
function statisticsOf(
  store: ImageStore,
  train: readonly number[],
): { mean: number[]; std: number[] } {
  const hasImages = train.some((index) => store.badReason(index) === undefined);
  return hasImages ? store.statistics(train) : { mean: [], std: [] };
}

/** What is odd about the pictures, as warnings. */
export function imageWarnings(
  dataset: DataSet,
  store: ImageStore,
  { readable, resize }: ImageReport,
): string[] {
  let [small, plain] = [0, 0];
  const plainIds: string[] = [];
  dataset.samples.forEach(({ id }, index) => {
    const found = store.record(index);
    if (typeof found === 'string') return;
    if (Math.min(found.width, found.height) < resize) small++;
    const pixels = store.bytesPerImage / 3;
    const [red, green, blue, red2, green2, blue2] = found.sums;
    const isFlat = [
      [red, red2],
      [green, green2],
      [blue, blue2],
    ].every(([sum = 0, squares = 0]) => squares * pixels - sum * sum === 0);
    if (isFlat) {
      plain++;
      plainIds.push(id);
    }
  });
  const warnings: string[] = [];
  if (plain > 0) warnings.push(`${plain} images are of one colour: ${shortList(plainIds)}`);
  if (small > 0) {
    warnings.push(`${small} of ${readable} images have a side below ${resize} px and are enlarged`);
  }
  return warnings;
}

function rangeOf(values: readonly number[]): { least: number; median: number; greatest: number } {
  const sorted = Float64Array.from(values).sort();
  return {
    least: sorted[0] ?? 0,
    median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    greatest: sorted.at(-1) ?? 0,
  };
}

/** Values by how often they occur; rare ones are summed up at the end. */
function histogram(values: readonly string[]): Histogram {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts]
    .map(([value, images]) => ({ value, images }))
    .sort((a, b) => b.images - a.images || (a.value < b.value ? -1 : 1));
  if (sorted.length <= mostValues) return sorted;
  const rest = sorted.slice(mostValues - 1);
  const images = rest.reduce((sum, one) => sum + one.images, 0);
  return [...sorted.slice(0, mostValues - 1), { value: `${rest.length} others`, images }];
}
