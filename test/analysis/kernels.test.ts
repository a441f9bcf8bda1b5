/** The addon of the analyses against its definitions, written out in float64. */
import { describe, expect, it } from 'vitest';
import { nearestNeighbours } from '../../src/analysis/index.ts';
import {
  centredGram,
  findCandidates,
  fromTypedArray,
  getThreadCount,
  ops,
  setThreadCount,
} from '../../src/tensor/index.ts';
import { RandomStream } from '../../src/util/index.ts';

function randomRows(rows: number, width: number, seed: string): Float32Array {
  const stream = new RandomStream(seed);
  return Float32Array.from({ length: rows * width }, () => stream.next() - 0.5);
}

const isBuilt = findCandidates(ops.ones([1, 1]), ops.ones([1, 1]), 1, 0) !== undefined;

describe.skipIf(!isBuilt)('the Gram matrix of centred features', () => {
  /** Σ (x - mean) (y - mean), and Σ mean². */
  function expectedGram(values: Float32Array, samples: number, features: number) {
    const products = new Float64Array(samples * samples);
    let squaredMeans = 0;
    for (let feature = 0; feature < features; feature++) {
      const column = Float64Array.from(
        { length: samples },
        (_, row) => values[row * features + feature] ?? 0,
      );
      const mean = column.reduce((sum, value) => sum + value, 0) / samples;
      squaredMeans += mean ** 2;
      for (let row = 0; row < samples; row++) {
        for (let other = 0; other < samples; other++) {
          products[row * samples + other] =
            (products[row * samples + other] ?? 0) +
            ((column[row] ?? 0) - mean) * ((column[other] ?? 0) - mean);
        }
      }
    }
    return { products, squaredMeans };
  }

  it.each([
    { samples: 4, features: 1, cut: 4 },
    { samples: 5, features: 37, cut: 2 },
    { samples: 16, features: 1024, cut: 16 },
    { samples: 33, features: 3001, cut: 32 },
  ])(
    'is that of float64: $samples samples in parts, $features features',
    ({ samples, features, cut }) => {
      const values = randomRows(samples, features, 'gram').map((value) => value + 3);
      const whole = fromTypedArray(values, [samples, features]);
      const parts = [ops.narrow(whole, 0, 0, cut), ops.narrow(whole, 0, cut, samples - cut)];
      const found = centredGram(cut === samples ? [whole] : parts);
      const expected = expectedGram(values, samples, features);
      expect(found?.products.shape).toEqual([samples, samples]);
      const products = found?.products.toArray() ?? [];
      const greatest = Math.max(...expected.products.map(Math.abs));
      expected.products.forEach((value, at) => {
        expect(Math.abs((products[at] ?? Number.NaN) - value)).toBeLessThan(1e-6 * greatest);
      });
      expect((found?.squaredMeans ?? 0) / expected.squaredMeans).toBeCloseTo(1, 6);
    },
  );

  it('reads bfloat16, and columns of what is larger', () => {
    const values = fromTypedArray(randomRows(6, 80, 'half'), [6, 80]).to({ dtype: 'bfloat16' });
    const some = ops.narrow(values, 1, 8, 51);
    const wide = Float32Array.from(some.to({ dtype: 'float32' }).toArray());
    const expected = expectedGram(wide, 6, 51).products;
    const found = centredGram([some])?.products.toArray() ?? [];
    found.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[at] ?? Number.NaN, 5);
    });
  });
});

describe.skipIf(!isBuilt)('candidates for nearest neighbours', () => {
  it.each([
    { queries: 3, rows: 40, width: 5, k: 40 },
    { queries: 7, rows: 2500, width: 33, k: 1 },
    { queries: 1100, rows: 1500, width: 16, k: 20 },
  ])('hold the k greatest and what comes within the margin: $queries in $rows, k $k', (each) => {
    const { queries, rows, width, k } = each;
    const [asked, bank] = [randomRows(queries, width, 'asked'), randomRows(rows, width, 'bank')];
    const [left, right] = [
      fromTypedArray(asked, [queries, width]),
      fromTypedArray(bank, [rows, width]),
    ];
    const found = findCandidates(left, right, k, 1e-3);
    const counts = found?.counts.toArray() ?? [];
    const indices = found?.indices.toArray() ?? [];
    const room = indices.length / queries;
    for (let query = 0; query < queries; query++) {
      const products = Array.from({ length: rows }, (_, row) => {
        let sum = 0;
        for (let at = 0; at < width; at++)
          sum += (asked[query * width + at] ?? 0) * (bank[row * width + at] ?? 0);
        return sum;
      });
      const least = ([...products].sort((a, b) => b - a)[k - 1] ?? 0) - 0.999e-3;
      const expected = products.flatMap((value, row) => (value > least ? [row] : []));
      const mine = indices.slice(query * room, query * room + (counts[query] ?? 0));
      expect(mine).toEqual([...mine].sort((a, b) => a - b));
      const kept = new Set(mine);
      expect(expected.filter((row) => !kept.has(row))).toEqual([]);
    }
  });

  it('say where too many are the same, and the search finds the first of them all the same', () => {
    const bank = new Float32Array(3000 * 4).fill(1);
    const queries = new Float32Array(2 * 4).fill(2);
    const [left, right] = [fromTypedArray(queries, [2, 4]), fromTypedArray(bank, [3000, 4])];
    expect(findCandidates(left, right, 5, 1e-6)?.counts.toArray()).toEqual([-1, -1]);
    const found = nearestNeighbours(
      { values: bank, rows: 3000, width: 4 },
      { values: queries, rows: 2, width: 4 },
      5,
    );
    expect([...found.indices]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  });

  it('are the same for any number of threads', () => {
    const [asked, bank] = [randomRows(50, 24, 'asked'), randomRows(4000, 24, 'bank')];
    const search = () =>
      nearestNeighbours(
        { values: bank, rows: 4000, width: 24 },
        { values: asked, rows: 50, width: 24 },
        30,
      );
    const before = getThreadCount();
    const all = [1, 2, 3].map((threads) => {
      setThreadCount(threads);
      return search();
    });
    setThreadCount(before);
    for (const each of all) expect([...each.indices]).toEqual([...(all[0]?.indices ?? [])]);
  });
});
