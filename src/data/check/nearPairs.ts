/** Pairs of perceptual hashes that differ in a few bits, found without comparing each with each. */

export interface NearPair {
  first: number;
  second: number;
  /** Bits in which the hashes differ. */
  distance: number;
}

export interface NearPairs {
  pairs: NearPair[];
  /** The largest distance that was searched for: less than asked where hashes are too much alike. */
  searched: number;
  /** True where there are more pairs than `most`. */
  cut: boolean;
}

/** Comparisons that a search may take: some seconds. */
const affordable = 1.5e9;

/**
 * All pairs of positions whose hashes are at most `distance` bits apart. Of so few differing bits, one of
 * distance + 1 bands of the hash has none, so that only hashes with a band in common are compared.
 * @param looks 16 hexadecimal digits each; `undefined` for what is not to be compared.
 * @param most pairs that are returned.
 */
export function findNearPairs(
  looks: readonly (string | undefined)[],
  distance: number,
  most: number,
): NearPairs {
  const high = new Uint32Array(looks.length);
  const low = new Uint32Array(looks.length);
  const members: number[] = [];
  looks.forEach((look, index) => {
    if (look === undefined) return;
    members.push(index);
    high[index] = Number.parseInt(look.slice(0, 8), 16);
    low[index] = Number.parseInt(look.slice(8), 16);
  });
  for (let searched = distance; ; searched--) {
    const bands = bandKeys(high, low, searched + 1);
    const buckets = bands.map((keys) => bucketsOf(keys, members));
    const cost = buckets.flat().reduce((sum, { length }) => sum + (length * (length - 1)) / 2, 0);
    if (cost <= affordable || searched === 0) {
      return { ...compare(high, low, bands, buckets, searched, most), searched };
    }
  }
}

/** For each band the bits of each hash in it. Bits are dealt out in turn, as neighbours are alike. */
function bandKeys(high: Uint32Array, low: Uint32Array, count: number): Uint32Array[] {
  return Array.from({ length: count }, (_, band) => {
    const positions = Array.from({ length: 64 }, (_, bit) => bit).filter(
      (bit) => bit % count === band,
    );
    return Uint32Array.from(high, (top, index) => {
      const bottom = low[index] as number;
      let key = 0;
      // A band of all 64 bits is folded: equal hashes still have equal keys.
      for (const bit of positions) {
        const value = bit < 32 ? (top >>> bit) & 1 : (bottom >>> (bit - 32)) & 1;
        key = ((key << 1) | (key >>> 31)) ^ value;
      }
      return key >>> 0;
    });
  });
}

/** Positions with a common key, two and more of them. */
function bucketsOf(keys: Uint32Array, members: readonly number[]): number[][] {
  const buckets = new Map<number, number[]>();
  for (const index of members) {
    const key = keys[index] as number;
    const bucket = buckets.get(key);
    if (bucket) bucket.push(index);
    else buckets.set(key, [index]);
  }
  return [...buckets.values()].filter(({ length }) => length > 1);
}

function compare(
  high: Uint32Array,
  low: Uint32Array,
  bands: readonly Uint32Array[],
  buckets: readonly number[][][],
  distance: number,
  most: number,
): { pairs: NearPair[]; cut: boolean } {
  const pairs: NearPair[] = [];
  for (const [band, groups] of buckets.entries()) {
    for (const group of groups) {
      for (let a = 1; a < group.length; a++) {
        const second = group[a] as number;
        for (let b = 0; b < a; b++) {
          const first = group[b] as number;
          const bits =
            bitCount((high[first] as number) ^ (high[second] as number)) +
            bitCount((low[first] as number) ^ (low[second] as number));
          if (bits > distance || isFoundBefore(bands, band, first, second)) continue;
          if (pairs.length === most) return { pairs: inOrder(pairs), cut: true };
          pairs.push({ first, second, distance: bits });
        }
      }
    }
  }
  return { pairs: inOrder(pairs), cut: false };
}

/** True of a pair that an earlier band has in common, too. */
function isFoundBefore(
  bands: readonly Uint32Array[],
  band: number,
  first: number,
  second: number,
): boolean {
  for (let earlier = 0; earlier < band; earlier++) {
    if (bands[earlier]?.[first] === bands[earlier]?.[second]) return true;
  }
  return false;
}

function inOrder(pairs: NearPair[]): NearPair[] {
  return pairs.sort((a, b) => a.first - b.first || a.second - b.second);
}

/** Bits set in a 32-bit number. */
function bitCount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
