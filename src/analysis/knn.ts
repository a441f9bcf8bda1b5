/**
 * k-NN (METHODS; the paper's figures 6, 13–15): how much the features of each tap say of the classes. The
 * bank is the training split, the queries the test split; beside it, if asked for, a linear probe.
 */
import type { SplitName } from '../data/index.ts';
import type { EmbeddingKind, ImageModel } from '../models/index.ts';
import type { AnalysisDocument, KnnDocument } from '../results/index.ts';
import { ops, scope, type Tensor } from '../tensor/index.ts';
import type { StoredTensor } from '../weights/index.ts';
import { EmbeddingStore } from './embeddingStore.ts';
import { requireFiniteRows } from './finite.ts';
import { vote } from './knnVotes.ts';
import { linearProbe } from './linearProbe.ts';
import type {
  BatchView,
  Measure,
  MeasureOptions,
  Outcome,
  Reader,
  TextTable,
  Work,
} from './measure.ts';
import { type Embeddings, nearestNeighbours } from './neighbours.ts';
import { evaluateScores, type Scores } from './scores.ts';
import { describeMetric } from './show.ts';
import type { NetworkKey, Subject } from './subject.ts';

type TapResult = KnnDocument['taps'][number];

/** Differences below this share of the greatest value are rounding. */
const SAME = 1e-6;

export const knn: Measure = {
  name: 'knn',
  summary: 'what the features of each tap say of the classes, by nearest neighbours',
  takesPair: false,
  networks: ({ checkpoint }) => [`run:${checkpoint}`],
  begin: (subject, options) => new KnnWork(subject, options),
  table,
};

class KnnWork implements Work {
  readonly readers: readonly Reader[];
  readonly #subject: Subject;
  readonly #options: MeasureOptions;
  readonly #network: NetworkKey;
  readonly #store = new EmbeddingStore();
  readonly #labels: Record<SplitName, number[]> = { train: [], val: [], test: [] };

  constructor(subject: Subject, options: MeasureOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#network = `run:${options.checkpoint}`;
    const splits: SplitName[] = options.probe ? ['train', 'val', 'test'] : ['train', 'test'];
    this.readers = splits.map((split) => ({
      network: this.#network,
      split,
      tap: (name, parts, batch) => this.#collect(name, parts, batch),
    }));
  }

  batchDone({ split, labels }: BatchView): void {
    this.#labels[split].push(...labels.toArray());
  }

  finish(): Outcome {
    const model = this.#subject.network(this.#network);
    const { neighbours, voteWeights: weights, temperature } = this.#options;
    const arrays = new Map<string, StoredTensor>();
    const taps: TapResult[] = [];
    let counts = { bank: 0, queries: 0 };
    for (const { name } of model.taps) {
      for (const kind of this.#kindsOf(model, name)) {
        const bank = this.#read('train', name, kind);
        const queries = this.#read('test', name, kind);
        counts = { bank: bank.rows, queries: queries.rows };
        const { result, scores } = this.#judge(name, kind, bank, queries);
        taps.push(result);
        if (scores) arrays.set(`scores/${name}/${kind}`, stored(scores));
      }
    }
    const document: KnnDocument = {
      ...this.#subject.head([this.#network], { isPair: false }),
      measure: 'knn',
      precision: this.#subject.tapPrecision,
      settings: {
        neighbours,
        used: Math.min(neighbours, counts.bank),
        weights,
        temperature,
      },
      ...counts,
      taps,
    };
    return { document, arrays };
  }

  dispose(): void {
    this.#store.dispose();
  }

  #kindsOf(model: ImageModel, tap: string): readonly EmbeddingKind[] {
    const kinds = model.embeddingKinds(tap);
    const wanted = this.#options.embeddings;
    const chosen = wanted ? kinds.filter((kind) => wanted.includes(kind)) : kinds;
    return chosen.length > 0 ? chosen : kinds.slice(0, 1);
  }

  /** Class token and mean are kept once; `both` is put together of them. */
  #collect(name: string, parts: readonly Tensor[], batch: BatchView): void {
    const model = this.#subject.network(this.#network);
    for (const kind of model.embeddingKinds(name)) {
      if (kind === 'both') continue;
      const values = scope(() => {
        const embedded = parts.map((part) => model.embedding(name, part, kind));
        return ops.cat(embedded, 0).to({ dtype: 'float32' }).toTypedArray();
      });
      if (!(values instanceof Float32Array)) throw new Error('embeddings that are not float32');
      const width = values.length / batch.indices.length;
      requireFiniteRows(values, width, (row) => ({
        tap: name,
        image: this.#subject.imageName(batch.indices[row] ?? -1),
      }));
      this.#store.append(keyOf(batch.split, name, kind), values, width);
    }
  }

  #read(split: SplitName, tap: string, kind: EmbeddingKind): Embeddings {
    if (kind !== 'both') return this.#store.read(keyOf(split, tap, kind));
    const parts = (['cls', 'spatial'] as const).map((one) =>
      this.#store.read(keyOf(split, tap, one)),
    );
    return sideBySide(parts);
  }

  #judge(
    tap: string,
    embedding: EmbeddingKind,
    bank: Embeddings,
    queries: Embeddings,
  ): { result: TapResult; scores?: Scores } {
    const head = { tap, embedding, features: bank.width };
    if (isConstant([bank, queries])) {
      return { result: { ...head, reason: 'constant: the same for every image' } };
    }
    const { description } = this.#subject;
    const { neighbours, voteWeights: weights, temperature, probe } = this.#options;
    const found = nearestNeighbours(bank, queries, neighbours);
    const scores = vote(found, this.#labels.train, description, { weights, temperature });
    const result: TapResult = {
      ...head,
      knn: evaluateScores(scores, this.#labels.test, description) as TapResult['knn'],
    };
    if (!probe) return { result, scores };
    const splits = {
      train: { features: bank, labels: this.#labels.train },
      validation: { features: this.#read('val', tap, embedding), labels: this.#labels.val },
      test: { features: queries, labels: this.#labels.test },
    };
    return {
      result: { ...result, probe: linearProbe(splits, description) as TapResult['probe'] },
      scores,
    };
  }
}

function keyOf(split: SplitName, tap: string, kind: EmbeddingKind): string {
  return `${split}/${tap}/${kind}`;
}

function sideBySide(parts: readonly Embeddings[]): Embeddings {
  const rows = parts[0]?.rows ?? 0;
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const values = new Float32Array(rows * width);
  let offset = 0;
  for (const part of parts) {
    for (let row = 0; row < rows; row++) {
      const source = part.values.subarray(row * part.width, (row + 1) * part.width);
      values.set(source, row * width + offset);
    }
    offset += part.width;
  }
  return { values, rows, width };
}

/** Whether all rows of all sets are the same up to rounding. */
export function isConstant(sets: readonly Embeddings[]): boolean {
  const first = sets.find(({ rows }) => rows > 0);
  if (!first) return true;
  const reference = first.values.subarray(0, first.width);
  const greatest = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return sets.every(({ values, width }) =>
    values.every((value, at) => Math.abs(value - (reference[at % width] ?? 0)) <= SAME * greatest),
  );
}

function stored({ values, rows }: Scores): StoredTensor {
  const single = Float32Array.from(values);
  return {
    dtype: 'float32',
    shape: [rows, values.length / Math.max(1, rows)],
    bytes: new Uint8Array(single.buffer),
  };
}

function table(document: AnalysisDocument): TextTable {
  if (document.measure !== 'knn') throw new Error('another measure');
  const { taps, settings, bank, queries } = document;
  const hasKinds = taps.some(({ embedding }) => embedding !== 'spatial');
  const hasProbe = taps.some(({ probe }) => probe !== undefined);
  const metric = taps.find((tap) => tap.knn)?.knn?.metric ?? 'metric';
  return {
    columns: [
      'tap',
      ...(hasKinds ? ['embedding'] : []),
      'features',
      `k-NN ${metric}`,
      ...(hasProbe ? [`linear probe ${metric}`, 'C'] : []),
    ],
    rows: taps.map(({ tap, embedding, features, knn: result, probe, reason }) => [
      tap,
      ...(hasKinds ? [embedding] : []),
      features,
      result ? describeMetric(result.primary) : `undefined: ${reason}`,
      ...(hasProbe ? [probe && describeMetric(probe.test.primary), probe?.strength] : []),
    ]),
    notes: [
      `${settings.used} neighbours of ${bank} training images vote on ${queries} test images` +
        (settings.used < settings.neighbours
          ? ` (${settings.neighbours} were asked for: the bank is smaller)`
          : ''),
    ],
  };
}
