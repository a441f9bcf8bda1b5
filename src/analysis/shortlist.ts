/**
 * The candidates for the nearest neighbours of one query. Whatever cannot be among the `k` greatest, even
 * if every value is off by `margin`, is dropped; the rest is kept, however much that is.
 */

/** Columns of which one maximum stands for all. */
export const LANE = 16;

/** Lanes side by side: lane i of such a group has its columns i, i + ACROSS, i + 2 · ACROSS, … */
export const ACROSS = 64;

/** Columns of a group of lanes. */
export const GROUP = LANE * ACROSS;

/** Candidates beyond k at most: of more that are all the same to float32, the earlier stay. */
const MOST_BEYOND = 4096;

/** A row of a block of products, and the maxima of its lanes. */
export interface ProductRow {
  products: Float32Array;
  /** Where the row begins in `products`. */
  offset: number;
  columns: number;
  /** The bank's row of the first column. */
  first: number;
  /** [groups, ACROSS] from `maximaOffset` on: the greatest value of each lane. */
  maxima: Float32Array;
  maximaOffset: number;
  /** ⌊columns / GROUP⌋; the columns after the last group have no maxima. */
  groups: number;
}

/** Room for the lanes of a group that pass. */
const passing = new Uint8Array(ACROSS);

export class Shortlist {
  readonly #k: number;
  readonly #margin: number;
  readonly #scratch: { values: Float32Array };
  /** Values at or below are out. */
  #threshold = Number.NEGATIVE_INFINITY;
  #values: Float32Array;
  #indices: Int32Array;
  #count = 0;

  /** @param scratch room for selections, shared by all lists. */
  constructor(k: number, margin: number, scratch: { values: Float32Array }) {
    this.#k = k;
    this.#margin = margin;
    this.#scratch = scratch;
    this.#values = new Float32Array(3 * k + 32);
    this.#indices = new Int32Array(3 * k + 32);
  }

  /**
   * A list of candidates that were found already.
   * @param values, indices in the order of the bank; they become the list's own
   */
  static of(
    k: number,
    values: Float32Array,
    indices: Int32Array,
    scratch: { values: Float32Array },
  ): Shortlist {
    const list = new Shortlist(k, 0, scratch);
    list.#values = values;
    list.#indices = indices;
    list.#count = values.length;
    return list;
  }

  get count(): number {
    return this.#count;
  }

  value(at: number): number {
    return this.#values[at] ?? Number.NaN;
  }

  index(at: number): number {
    return this.#indices[at] ?? -1;
  }

  /** The places of the values above `least`, the greatest first; of equals the one that was offered first. */
  above(least: number): Uint32Array {
    const keys = new Float64Array(this.#count);
    let found = 0;
    for (let at = 0; at < this.#count; at++) {
      if (this.value(at) > least) keys[found++] = sortingKey(this.value(at)) + at;
    }
    return Uint32Array.from(keys.subarray(0, found).sort(), (key) => key % PLACES);
  }

  /** The k-th greatest value; of fewer the least. */
  boundary(): number {
    return this.#greatest(this.#values, 0, this.#count);
  }

  /** Offers the values of a block's row; blocks come in the order of the bank. */
  offer(row: ProductRow): void {
    const { products, offset, columns, first, maxima, maximaOffset, groups } = row;
    const lanes = groups * ACROSS;
    if (this.#count === 0 && lanes >= this.#k) {
      // k lanes reach the k-th greatest maximum: so do k values.
      this.#raise(this.#greatest(maxima, maximaOffset, lanes));
    }
    for (let group = 0; group < groups; group++) {
      const passing = this.#passingLanes(maxima, maximaOffset + group * ACROSS);
      if (passing > 0)
        this.#offerLanes(products, offset + group * GROUP, passing, first + group * GROUP);
    }
    const rest = GROUP * groups;
    this.#offerColumns(products, offset + rest, columns - rest, first + rest);
  }

  /** Which lanes of a group may hold a candidate; they stay in `passing`. @returns how many */
  #passingLanes(maxima: Float32Array, from: number): number {
    const threshold = this.#threshold;
    let count = 0;
    for (let lane = 0; lane < ACROSS; lane++) {
      if ((maxima[from + lane] ?? 0) <= threshold) continue;
      passing[count++] = lane;
    }
    return count;
  }

  /** The values of those lanes in the order of their columns. */
  #offerLanes(products: Float32Array, offset: number, lanes: number, first: number): void {
    let threshold = this.#threshold;
    for (let at = 0; at < GROUP; at += ACROSS) {
      for (let which = 0; which < lanes; which++) {
        const column = at + (passing[which] ?? 0);
        const value = products[offset + column] ?? 0;
        if (value <= threshold) continue;
        this.#push(value, first + column);
        threshold = this.#threshold;
      }
    }
  }

  #offerColumns(products: Float32Array, offset: number, count: number, first: number): void {
    for (let at = 0; at < count; at++) {
      const value = products[offset + at] ?? 0;
      if (value > this.#threshold || Number.isNaN(value)) this.#push(value, first + at);
    }
  }

  #push(value: number, index: number): void {
    if (this.#count === this.#values.length) this.#compact();
    // Compacting may have raised the threshold above it.
    if (value <= this.#threshold) return;
    this.#values[this.#count] = value;
    this.#indices[this.#count] = index;
    this.#count++;
  }

  /** Raises the threshold to what k values reach, less the margin. */
  #raise(reached: number): void {
    const below = Math.fround(reached - this.#margin);
    if (below > this.#threshold) this.#threshold = below;
  }

  /** Drops what has fallen to the threshold; makes room if that is little. */
  #compact(): void {
    this.#raise(this.boundary());
    let kept = 0;
    for (let at = 0; at < this.#count; at++) {
      const value = this.#values[at] ?? Number.NaN;
      if (value <= this.#threshold) continue;
      this.#values[kept] = value;
      this.#indices[kept] = this.#indices[at] ?? -1;
      kept++;
    }
    this.#count = kept;
    if (2 * kept <= this.#values.length) return;
    if (kept > this.#k + MOST_BEYOND) this.#truncate();
    else this.#grow();
  }

  #grow(): void {
    const values = new Float32Array(2 * this.#values.length);
    const indices = new Int32Array(2 * this.#values.length);
    values.set(this.#values);
    indices.set(this.#indices);
    this.#values = values;
    this.#indices = indices;
  }

  /** Keeps the k + MOST_BEYOND greatest, of equals the lowest indices. */
  #truncate(): void {
    const values = this.#values.slice(0, this.#count);
    const indices = this.#indices.slice(0, this.#count);
    const order = Array.from(values.keys()).sort(
      (a, b) => (values[b] ?? 0) - (values[a] ?? 0) || (indices[a] ?? 0) - (indices[b] ?? 0),
    );
    this.#count = this.#k + MOST_BEYOND;
    for (let at = 0; at < this.#count; at++) {
      this.#values[at] = values[order[at] ?? 0] ?? 0;
      this.#indices[at] = indices[order[at] ?? 0] ?? 0;
    }
    // Indices ascend: of equals those that come later stay out.
    this.#threshold = this.value(this.#count - 1);
  }

  /** The k-th greatest of some values, which stay as they are; of fewer than k the least. */
  #greatest(values: Float32Array, start: number, length: number): number {
    if (this.#scratch.values.length < length) this.#scratch.values = new Float32Array(length);
    const scratch = this.#scratch.values;
    for (let at = 0; at < length; at++) scratch[at] = values[start + at] ?? Number.NaN;
    return selectGreatest(scratch, length, Math.min(this.#k, length));
  }
}

/** More than places of a list. */
const PLACES = 2 ** 21;

const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/** Greater for a lesser float32, by steps of PLACES: numbers sort without a function that compares them. */
function sortingKey(value: number): number {
  // Zeros are equal, whatever their sign.
  asFloat[0] = value === 0 ? 0 : value;
  const bits = asBits[0] ?? 0;
  const ascending = bits >= 2 ** 31 ? 2 ** 32 - 1 - bits : bits + 2 ** 31;
  return (2 ** 32 - 1 - ascending) * PLACES;
}

/** The k-th greatest (from 1) of the first `length` values, which are put into another order (Hoare). */
function selectGreatest(values: Float32Array, length: number, k: number): number {
  let low = 0;
  let high = length - 1;
  const target = k - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] ?? 0;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] ?? 0) > pivot) left++;
      while ((values[right] ?? 0) < pivot) right--;
      if (left <= right) {
        const value = values[left] ?? 0;
        values[left] = values[right] ?? 0;
        values[right] = value;
        left++;
        right--;
      }
    }
    if (target <= right) high = right;
    else if (target >= left) low = left;
    else break;
  }
  return values[target] ?? Number.NaN;
}
