/**
 * Exact nearest neighbours by cosine similarity. Products of blocks go through LibTorch; of each block
 * only what may be among the nearest is kept, so that memory does not grow with queries × bank.
 */
import { fromTypedArray, ops, scope } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';

/** One vector a sample, row by row: [rows, width]. */
export interface Embeddings {
  values: Float32Array;
  rows: number;
  width: number;
}

export interface Neighbours {
  /** Neighbours of each query, at most the bank's rows. */
  k: number;
  /** [queries, k]: rows of the bank, the most similar first; of equals the lower row first. */
  indices: Int32Array;
  /** [queries, k]: cosine similarities. */
  similarities: Float64Array;
}

const QUERY_BLOCK = 1024;
const BANK_BLOCK = 8192;

/** Candidates beyond k, of which those that float32 cannot tell from the k-th are compared in float64. */
const SPARE = 32;

/** Twice what a float32 product of unit vectors is off by, with room. */
const CLOSE = 4e-6;

/** A vector as short as this has no direction (the limit of PyTorch's `normalize`). */
const NO_LENGTH = 1e-12;

/** A vector in which a value is not finite. */
export class NonFiniteRow extends Error {
  readonly row: number;

  constructor(row: number) {
    super(`row ${row} holds NaN or infinity`);
    this.row = row;
  }
}

/** Rows of length 1, and the lengths that they had; a row without direction becomes 0. */
interface UnitRows {
  values: Float32Array;
  lengths: Float64Array;
}

/**
 * The `k` rows of `bank` that are most similar to each row of `queries`. A row without direction has
 * similarity 0 to all.
 * @throws NonFiniteRow, with `set` in its message left to the caller; WorkError for an empty bank.
 */
export function nearestNeighbours(bank: Embeddings, queries: Embeddings, k: number): Neighbours {
  if (bank.rows === 0 || bank.width !== queries.width) {
    throw new WorkError({
      where: 'nearest neighbours',
      expected: `a bank of vectors of ${queries.width} numbers`,
      got: `${bank.rows} vectors of ${bank.width}`,
    });
  }
  const found = Math.min(k, bank.rows);
  const unitBank = unitRows(bank);
  const result: Neighbours = {
    k: found,
    indices: new Int32Array(queries.rows * found),
    similarities: new Float64Array(queries.rows * found),
  };
  for (let start = 0; start < queries.rows; start += QUERY_BLOCK) {
    const rows = Math.min(QUERY_BLOCK, queries.rows - start);
    const block: Embeddings = {
      values: queries.values.subarray(start * queries.width, (start + rows) * queries.width),
      rows,
      width: queries.width,
    };
    const heaps = searchBlock(unitBank.values, bank, block, found, start);
    heaps.forEach((heap, row) => {
      writeNearest(heap, { bank, lengths: unitBank.lengths, block, row, k: found }, result, start);
    });
  }
  return result;
}

/** The nearest `k` + SPARE of each query of a block, by float32 products. */
function searchBlock(
  unitBank: Float32Array,
  bank: Embeddings,
  block: Embeddings,
  k: number,
  firstRow: number,
): Nearest[] {
  const { width } = bank;
  const unitQueries = unitRows(block, firstRow).values;
  const heaps = Array.from(
    { length: block.rows },
    () => new Nearest(Math.min(k + SPARE, bank.rows)),
  );
  // One buffer for all products: memory that LibTorch shares with JavaScript waits for the collector.
  const buffer = new Float32Array(block.rows * Math.min(BANK_BLOCK, bank.rows));
  for (let start = 0; start < bank.rows; start += BANK_BLOCK) {
    const columns = Math.min(BANK_BLOCK, bank.rows - start);
    scope(() => {
      const left = fromTypedArray(unitQueries, [block.rows, width]);
      const slice = unitBank.subarray(start * width, (start + columns) * width);
      const right = fromTypedArray(slice, [columns, width]);
      const products = buffer.subarray(0, block.rows * columns);
      const target = fromTypedArray(products, [block.rows, columns]);
      ops.copy_(target, ops.mm(left, ops.t(right)));
      heaps.forEach((heap, row) => {
        heap.offer(products, row * columns, columns, start);
      });
    });
  }
  return heaps;
}

/** The greatest values that were offered, in a heap whose root is the least of them. */
class Nearest {
  readonly #values: Float32Array;
  readonly #indices: Int32Array;
  #count = 0;

  constructor(capacity: number) {
    this.#values = new Float32Array(capacity);
    this.#indices = new Int32Array(capacity);
  }

  /** Offers `length` values of `source` from `offset` on; the first of them is number `first`. */
  offer(source: Float32Array, offset: number, length: number, first: number): void {
    let at = 0;
    while (at < length && this.#count < this.#values.length) {
      this.#push(source[offset + at] ?? Number.NaN, first + at);
      at++;
    }
    let least = this.#values[0] ?? Number.NaN;
    for (; at < length; at++) {
      const value = source[offset + at] ?? Number.NaN;
      // Equals come in ascending order: the earlier stays.
      if (value > least) {
        this.#sink(0, value, first + at);
        least = this.#values[0] ?? Number.NaN;
      }
    }
  }

  /** What is held, the greatest first, of equals the lowest index first. */
  sorted(): { index: number; value: number }[] {
    return Array.from({ length: this.#count }, (_, at) => ({
      index: this.#indices[at] ?? 0,
      value: this.#values[at] ?? 0,
    })).sort((a, b) => b.value - a.value || a.index - b.index);
  }

  /** Whether a value goes before another on the way out: less, or equal and of a higher index. */
  #leavesBefore(value: number, index: number, other: number): boolean {
    const otherValue = this.#values[other] ?? 0;
    return value < otherValue || (value === otherValue && index > (this.#indices[other] ?? 0));
  }

  #push(value: number, index: number): void {
    let at = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#leavesBefore(value, index, parent)) break;
      this.#values[at] = this.#values[parent] ?? 0;
      this.#indices[at] = this.#indices[parent] ?? 0;
      at = parent;
    }
    this.#values[at] = value;
    this.#indices[at] = index;
  }

  /** Puts a value in at `at` and lets it sink below all that leave before it. */
  #sink(at: number, value: number, index: number): void {
    const values = this.#values;
    const indices = this.#indices;
    let place = at;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#count) break;
      const right = child + 1;
      if (
        right < this.#count &&
        this.#leavesBefore(values[right] ?? 0, indices[right] ?? 0, child)
      ) {
        child = right;
      }
      if (this.#leavesBefore(value, index, child)) break;
      values[place] = values[child] ?? 0;
      indices[place] = indices[child] ?? 0;
      place = child;
    }
    values[place] = value;
    indices[place] = index;
  }
}

/** One query and where it is looked for. */
interface Search {
  bank: Embeddings;
  lengths: Float64Array;
  block: Embeddings;
  row: number;
  k: number;
}

/**
 * Of the candidates those that float32 cannot tell from the k-th are compared again in float64, so that
 * the k that are chosen are those of exact arithmetic.
 */
function writeNearest(heap: Nearest, search: Search, result: Neighbours, start: number): void {
  const { k } = search;
  const candidates = heap.sorted();
  const boundary = candidates[k - 1]?.value ?? 0;
  const isClose = ({ value }: { value: number }): boolean => Math.abs(value - boundary) <= CLOSE;
  const above = candidates.filter((one) => one.value > boundary && !isClose(one));
  const close = candidates
    .filter(isClose)
    .map(({ index }) => ({ index, value: exactSimilarity(search, index) }))
    .sort((a, b) => b.value - a.value || a.index - b.index);
  const chosen = [...above, ...close.slice(0, k - above.length)];
  const offset = (start + search.row) * k;
  chosen.forEach(({ index, value }, place) => {
    result.indices[offset + place] = index;
    result.similarities[offset + place] = value;
  });
}

/** Cosine similarity in float64. */
function exactSimilarity({ bank, lengths, block, row }: Search, index: number): number {
  const { width } = bank;
  let product = 0;
  let square = 0;
  for (let column = 0; column < width; column++) {
    const value = block.values[row * width + column] ?? 0;
    product += value * (bank.values[index * width + column] ?? 0);
    square += value * value;
  }
  const length = Math.sqrt(square) * (lengths[index] ?? 0);
  return length > NO_LENGTH ** 2 ? product / length : 0;
}

/** @param firstRow what the rows are counted from in errors. @throws NonFiniteRow */
function unitRows({ values, rows, width }: Embeddings, firstRow = 0): UnitRows {
  const unit = new Float32Array(rows * width);
  const lengths = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    let square = 0;
    for (let column = start; column < start + width; column++) {
      const value = values[column] ?? Number.NaN;
      square += value * value;
    }
    if (!Number.isFinite(square)) throw new NonFiniteRow(firstRow + row);
    const length = Math.sqrt(square);
    lengths[row] = length;
    if (length <= NO_LENGTH) continue;
    for (let column = start; column < start + width; column++) {
      unit[column] = (values[column] ?? 0) / length;
    }
  }
  return { values: unit, lengths };
}
