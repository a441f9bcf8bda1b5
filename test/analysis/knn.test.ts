/** k-NN against numpy in float64, its identities, and what it says where there is nothing to say. */
import { describe, expect, it } from 'vitest';
import {
  EmbeddingStore,
  type Embeddings,
  evaluateScores,
  nearestNeighbours,
  type TaskDescription,
  vote,
} from '../../src/analysis/index.ts';
import { RandomStream } from '../../src/util/index.ts';
import { classNames, golden } from './golden.ts';

interface KnnCase {
  name: string;
  width: number;
  classes: number;
  k: number;
  temperature: number | null;
  multilabel: boolean;
  bank: number[];
  labels: number[];
  queries: number[];
  test: number[];
  scores: number[];
  nearest: number[][];
  metric: number;
}

function embeddings(values: readonly number[], width: number): Embeddings {
  return { values: Float32Array.from(values), rows: values.length / width, width };
}

function randomEmbeddings(rows: number, width: number, seed: string): Embeddings {
  const random = new RandomStream(seed);
  const values = Float32Array.from({ length: rows * width }, () => random.normal());
  return { values, rows, width };
}

/** Cosine similarities of one query to the whole bank, in float64. */
function similaritiesTo(bank: Embeddings, queries: Embeddings, query: number): number[] {
  const rowOf = ({ values, width }: Embeddings, row: number) =>
    Float64Array.from(values.subarray(row * width, (row + 1) * width));
  const dot = (a: Float64Array, b: Float64Array) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  const own = rowOf(queries, query);
  return Array.from({ length: bank.rows }, (_, row) => {
    const other = rowOf(bank, row);
    return dot(own, other) / Math.sqrt(dot(own, own) * dot(other, other));
  });
}

describe('against numpy', () => {
  it.each(golden<KnnCase[]>('knn'))('$name', (example) => {
    const { width, k, classes, multilabel, temperature } = example;
    const description: TaskDescription = {
      task: multilabel ? 'multilabel' : 'multiclass',
      metric: multilabel ? 'auc' : 'recall',
      classes: classNames(classes),
    };
    const bank = embeddings(example.bank, width);
    const neighbours = nearestNeighbours(bank, embeddings(example.queries, width), k);
    expect(neighbours.k).toBe(Math.min(k, bank.rows));
    example.nearest.forEach((nearest, row) => {
      const start = row * neighbours.k;
      expect([...neighbours.indices.subarray(start, start + nearest.length)]).toEqual(nearest);
    });
    const scores = vote(neighbours, example.labels, description, {
      weights: temperature === null ? 'uniform' : 'exponential',
      temperature: temperature ?? 1,
    });
    expect(scores.values).toBeAllclose(example.scores, { absolute: 1e-5 });
    const { primary } = evaluateScores(scores, example.test, description);
    expect(primary.value).toBeAllclose(example.metric, { absolute: 1e-9 });
  });
});

describe('nearest neighbours', () => {
  it('finds an image that is in the bank', () => {
    const bank = randomEmbeddings(500, 24, 'bank');
    const found = nearestNeighbours(bank, bank, 3);
    for (let row = 0; row < bank.rows; row++) {
      expect(found.indices[row * 3]).toBe(row);
      expect(found.similarities[row * 3]).toBeAllclose(1, { absolute: 1e-6 });
    }
  });

  it('does not change with the blocks: more queries and bank rows than fit into one', () => {
    const bank = randomEmbeddings(9000, 4, 'large bank');
    const queries = randomEmbeddings(1100, 4, 'many queries');
    const found = nearestNeighbours(bank, queries, 5);
    const last = queries.rows - 1;
    const similarities = similaritiesTo(bank, queries, last);
    const best = [...similarities.keys()].sort(
      (a, b) => (similarities[b] ?? 0) - (similarities[a] ?? 0),
    );
    expect([...found.indices.subarray(last * 5)]).toEqual(best.slice(0, 5));
  });

  it('chooses as exact arithmetic does where float32 cannot tell hundreds apart', () => {
    // All within 1e-6 of one direction: similarities differ in the last digits alone.
    const width = 8;
    const random = new RandomStream('near');
    const near = (rows: number): Embeddings => ({
      values: Float32Array.from({ length: rows * width }, () => 1 + 3e-4 * random.normal()),
      rows,
      width,
    });
    const [bank, queries] = [near(3000), near(3)];
    const k = 7;
    const found = nearestNeighbours(bank, queries, k);
    for (let row = 0; row < queries.rows; row++) {
      const exact = similaritiesTo(bank, queries, row);
      const best = Array.from(exact.keys()).sort((a, b) => (exact[b] ?? 0) - (exact[a] ?? 0));
      expect([...found.indices.subarray(row * k, (row + 1) * k)]).toEqual(best.slice(0, k));
    }
  });

  it('takes the first of a bank that is the same throughout', () => {
    const rows = 9000;
    const bank = { values: new Float32Array(rows * 2).fill(0.5), rows, width: 2 };
    const { indices, similarities } = nearestNeighbours(bank, embeddings([1, 1], 2), 30);
    expect([...indices]).toEqual(Array.from({ length: 30 }, (_, place) => place));
    expect(similarities).toBeAllclose(new Array(30).fill(1), { absolute: 1e-12 });
  });

  it('takes the earlier of equals, whatever the order in which they come', () => {
    const one = [1, 2, 3];
    const bank = embeddings(Array.from({ length: 50 }, () => one).flat(), 3);
    const { indices } = nearestNeighbours(bank, embeddings(one, 3), 4);
    expect([...indices]).toEqual([0, 1, 2, 3]);
  });

  it('gives a vector without length no direction, and no NaN', () => {
    const bank = embeddings([0, 0, 1, 0, 0, 1], 2);
    const { similarities } = nearestNeighbours(bank, embeddings([0, 0, 1, 1], 2), 3);
    expect(similarities).toBeAllclose([0, 0, 0, Math.SQRT1_2, Math.SQRT1_2, 0], { absolute: 1e-7 });
  });

  it('refuses NaN by the row, and a bank of other vectors', () => {
    const bank = embeddings([1, 2, Number.NaN, 4], 2);
    expect(() => nearestNeighbours(bank, embeddings([1, 1], 2), 1)).toThrow('row 1');
    expect(() => nearestNeighbours(bank, embeddings([1, 1, 1], 3), 1)).toThrow('vectors of 3');
  });
});

describe('scores', () => {
  const binary: TaskDescription = { task: 'binary', metric: 'auc', classes: ['no', 'yes'] };

  it('have an undefined AUC, with the reason, where the test split has one class', () => {
    const scores = { values: Float64Array.from([0.5, 0.5, 0.2, 0.8]), rows: 2 };
    const { primary, metrics } = evaluateScores(scores, [1, 1], binary);
    expect(primary).toEqual({ reason: 'no negative samples' });
    expect(metrics.accuracy?.value).toBe(0.5);
  });

  it('judge two classes by the second', () => {
    const scores = { values: Float64Array.from([0.9, 0.1, 0.3, 0.7, 0.6, 0.4]), rows: 3 };
    expect(evaluateScores(scores, [0, 1, 0], binary).primary).toEqual({ value: 1 });
  });
});

describe('embeddings kept for later', () => {
  it('come back in order, from memory and from files alike', () => {
    for (const budget of [1e9, 100]) {
      const store = new EmbeddingStore(budget);
      try {
        for (let batch = 0; batch < 7; batch++) {
          store.append('a', Float32Array.of(batch, -batch, batch, batch), 2);
          store.append('b', Float32Array.of(batch, 0, 1, 2, 3, 4), 3);
        }
        const read = store.read('a');
        expect([read.rows, read.width]).toEqual([14, 2]);
        expect([...read.values].slice(-4)).toEqual([6, -6, 6, 6]);
        expect([...store.read('b').values.slice(6, 12)]).toEqual([1, 0, 1, 2, 3, 4]);
      } finally {
        store.dispose();
      }
    }
  });
});
