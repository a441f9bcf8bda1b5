/**
 * Pictures that are nearly the same: perceptual hashes that differ in a few bits, and then brightness in
 * 32 × 32 cells that correlates. A picture saved again, scaled or slightly retouched is found; a turned
 * or mirrored one is not, and neither is another picture of the same patient.
 */
import { type DataSet, type SplitName, splitNames } from '../dataSet.ts';
import { type ImageOptions, ImageStore } from '../images/imageStore.ts';
import { greyCells } from '../images/perceptualHash.ts';
import { findNearPairs } from './nearPairs.ts';

export interface NearDuplicate {
  /** Positions in the data set. */
  first: number;
  second: number;
  /** Bits of 64 in which their hashes differ. */
  distance: number;
  /** Of brightness; 1 for the same picture. */
  correlation: number;
}

/** Bits that may differ, before the pixels are asked. */
export const nearDistance = 6;
/** Brightness that must correlate this well. */
export const nearCorrelation = 0.985;
/** Pairs of hashes that are looked at more closely. */
const mostPairs = 20_000;

/** A picture whose brightness varies less, in levels of 255, shows nothing that could be compared. */
const leastDeviation = 2;

export interface NearDuplicates {
  pairs: NearDuplicate[];
  /** True where the search was cut short, so that there may be more. */
  incomplete: boolean;
}

/**
 * The nearly identical pictures among `indices` that are not byte-identical.
 * @param isWanted leaves pairs out before their pixels are read.
 */
export async function findNearDuplicates(
  dataset: DataSet,
  store: ImageStore,
  indices: readonly number[],
  isWanted: (first: number, second: number) => boolean = () => true,
): Promise<NearDuplicates> {
  const chosen = new Set(indices);
  const looks = dataset.samples.map((_, index) => {
    const record = store.record(index);
    return chosen.has(index) && typeof record === 'object' ? record.look : undefined;
  });
  const { pairs, searched, cut } = findNearPairs(looks, nearDistance, mostPairs);
  const hashOf = (index: number): string => dataset.samples[index]?.hash ?? '';
  const candidates = pairs.filter(
    ({ first, second }) => hashOf(first) !== hashOf(second) && isWanted(first, second),
  );
  const cells = await readCells(
    store,
    candidates.flatMap(({ first, second }) => [first, second]),
  );
  const found = candidates.flatMap((pair) => {
    const [left, right] = [cells.get(pair.first), cells.get(pair.second)];
    const correlation = left && right ? correlate(left, right) : 0;
    return correlation >= nearCorrelation ? [{ ...pair, correlation }] : [];
  });
  return { pairs: found, incomplete: cut || searched < nearDistance };
}

/** A note on nearly identical pictures in different splits; none where there are none. */
export async function nearDuplicateNotes(
  dataset: DataSet,
  splits: Record<SplitName, readonly number[]>,
  options: ImageOptions,
): Promise<string[]> {
  const split = new Map(
    splitNames.flatMap((name) => splits[name].map((index) => [index, name] as const)),
  );
  const store = await ImageStore.open(dataset, options);
  try {
    const { pairs } = await findNearDuplicates(
      dataset,
      store,
      [...split.keys()],
      (first, second) => split.get(first) !== split.get(second),
    );
    if (pairs.length === 0) return [];
    const name = (index: number): string =>
      `${dataset.samples[index]?.id ?? ''} (${split.get(index)})`;
    const shown = pairs.slice(0, 3).map(({ first, second }) => `${name(first)} ~ ${name(second)}`);
    const more = pairs.length > shown.length ? ` and ${pairs.length - shown.length} more` : '';
    return [
      `${pairs.length} pairs of nearly identical pictures lie in different splits: ${shown.join(', ')}${more}; ` +
        'a group column keeps them together, carryover data check lists them',
    ];
  } finally {
    await store.close();
  }
}

/** Brightness in cells, of each picture once. */
async function readCells(
  store: ImageStore,
  indices: readonly number[],
): Promise<Map<number, Uint8Array>> {
  const cells = new Map<number, Uint8Array>();
  const size = Math.round(Math.sqrt(store.bytesPerImage / 3));
  const pixels = new Uint8Array(store.bytesPerImage);
  for (const index of new Set(indices)) {
    await store.read([index], pixels);
    cells.set(index, Uint8Array.from(greyCells(pixels, size)));
  }
  return cells;
}

/** Pearson's correlation; 0 where a picture shows nothing. */
function correlate(left: Uint8Array, right: Uint8Array): number {
  const count = left.length;
  const average = (list: Uint8Array): number => list.reduce((sum, value) => sum + value, 0) / count;
  const [a, b] = [average(left), average(right)];
  let [both, lefts, rights] = [0, 0, 0];
  for (let at = 0; at < count; at++) {
    const x = (left[at] as number) - a;
    const y = (right[at] as number) - b;
    both += x * y;
    lefts += x * x;
    rights += y * y;
  }
  const least = count * leastDeviation ** 2;
  return lefts < least || rights < least ? 0 : both / Math.sqrt(lefts * rights);
}
