/**
 * Exact nearest neighbours by cosine similarity. Products of blocks go through LibTorch; of each block
 * only what may be among the nearest is kept, so that memory does not grow with queries × bank.
 */
import { findCandidates, fromTypedArray, ops, scope } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { ACROSS, GROUP, LANE, Shortlist } from './shortlist.ts';

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
    const unitQueries = unitRows(block, start).values;
    const lists =
      foundIn(unitBank.values, unitQueries, block, found) ??
      searchBlock(unitBank.values, unitQueries, block, found);
    lists.forEach((list, row) => {
      writeNearest(list, { bank, lengths: unitBank.lengths, block, row, k: found }, result, start);
    });
  }
  return result;
}

/** The candidates of each query of a block, by the kernel that looks through products as it makes them. */
function foundIn(
  unitBank: Float32Array,
  unitQueries: Float32Array,
  { rows, width }: Embeddings,
  k: number,
): Shortlist[] | undefined {
  return scope(() => {
    const queries = fromTypedArray(unitQueries, [rows, width]);
    const bank = fromTypedArray(unitBank, [unitBank.length / width, width]);
    const found = findCandidates(queries, bank, k, CLOSE);
    if (!found) return undefined;
    const [values, indices, counts] = [found.values, found.indices, found.counts].map((each) =>
      each.toTypedArray(),
    );
    if (!(values instanceof Float32Array && indices instanceof Int32Array && counts)) {
      throw new Error('candidates of other types');
    }
    const room = values.length / rows;
    const scratch = { values: new Float32Array(0) };
    return Array.from({ length: rows }, (_, row) => {
      const count = Number(counts[row]);
      if (count >= 0) {
        const [from, to] = [row * room, row * room + count];
        return Shortlist.of(k, values.subarray(from, to), indices.subarray(from, to), scratch);
      }
      // Too many are the same to float32: a list that grows.
      const query = unitQueries.subarray(row * width, (row + 1) * width);
      const [list] = searchBlock(unitBank, query, { values: query, rows: 1, width }, k);
      if (!list) throw new Error('a query without a list');
      return list;
    });
  });
}

/** The candidates of each query of a block, by products of LibTorch. */
function searchBlock(
  unitBank: Float32Array,
  unitQueries: Float32Array,
  block: Embeddings,
  k: number,
): Shortlist[] {
  const { width } = block;
  const bankRows = unitBank.length / width;
  const scratch = { values: new Float32Array(0) };
  const lists = Array.from({ length: block.rows }, () => new Shortlist(k, CLOSE, scratch));
  // One buffer for all products: memory that LibTorch shares with JavaScript waits for the collector.
  const buffer = new Float32Array(block.rows * Math.min(BANK_BLOCK, bankRows));
  const maximaBuffer = new Float32Array(Math.ceil(buffer.length / LANE));
  for (let start = 0; start < bankRows; start += BANK_BLOCK) {
    const columns = Math.min(BANK_BLOCK, bankRows - start);
    const groups = Math.floor(columns / GROUP);
    const lanes = groups * ACROSS;
    scope(() => {
      const left = fromTypedArray(unitQueries, [block.rows, width]);
      const slice = unitBank.subarray(start * width, (start + columns) * width);
      const right = fromTypedArray(slice, [columns, width]);
      const products = buffer.subarray(0, block.rows * columns);
      const target = fromTypedArray(products, [block.rows, columns]);
      ops.addmm_(target, left, ops.t(right), { beta: 0 });
      const maxima = maximaBuffer.subarray(0, block.rows * lanes);
      const inLanes = ops.reshape(ops.narrow(target, 1, 0, GROUP * groups), [-1, LANE, ACROSS]);
      ops.copy_(fromTypedArray(maxima, [block.rows * groups, ACROSS]), ops.amax(inLanes, [1]));
      lists.forEach((list, row) => {
        list.offer({
          products,
          offset: row * columns,
          columns,
          first: start,
          maxima,
          maximaOffset: row * lanes,
          groups,
        });
      });
    });
  }
  return lists;
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
function writeNearest(list: Shortlist, search: Search, result: Neighbours, start: number): void {
  const { k } = search;
  const offset = (start + search.row) * k;
  const boundary = list.boundary();
  const places = list.above(boundary + CLOSE);
  places.forEach((at, place) => {
    result.indices[offset + place] = list.index(at);
    result.similarities[offset + place] = list.value(at);
  });
  if (places.length === k) return;
  const close: { index: number; value: number }[] = [];
  for (let at = 0; at < list.count; at++) {
    if (Math.abs(list.value(at) - boundary) > CLOSE) continue;
    const index = list.index(at);
    close.push({ index, value: exactSimilarity(search, index) });
  }
  close.sort((a, b) => b.value - a.value || a.index - b.index);
  for (let place = places.length; place < k; place++) {
    const one = close[place - places.length];
    result.indices[offset + place] = one?.index ?? -1;
    result.similarities[offset + place] = one?.value ?? Number.NaN;
  }
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
