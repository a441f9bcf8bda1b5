/**
 * CKA (METHODS; the paper's figures 3, 9–12): how similar the representations at all pairs of taps are,
 * over batches of the test split in order. Of one run: initial against fine-tuned, and each with itself.
 * Of two runs: their networks against each other, and each with itself.
 */
import type { ImageModel } from '../models/index.ts';
import type { AnalysisDocument, CkaDocument } from '../results/index.ts';
import { ops, type Tensor } from '../tensor/index.ts';
import type { StoredTensor } from '../weights/index.ts';
import { nonFinite } from './finite.ts';
import {
  addGrams,
  type CentredGram,
  type Gram,
  gramMatrix,
  isFiniteGram,
  uCentre,
} from './hsic.ts';
import type {
  BatchView,
  Measure,
  MeasureOptions,
  Outcome,
  Reader,
  TextTable,
  Work,
} from './measure.ts';
import { type CkaMatrix, MinibatchCka } from './minibatchCka.ts';
import { describeNumber } from './show.ts';
import type { NetworkKey, Subject } from './subject.ts';

type Tokens = CkaDocument['matrices'][number]['tokens'];

export const cka: Measure = {
  name: 'cka',
  summary: 'how similar the representations at all pairs of taps are',
  takesPair: true,
  networks: networksOf,
  begin: (subject, options) => new CkaWork(subject, options),
  table,
};

function networksOf({ checkpoint }: MeasureOptions, isPair: boolean): NetworkKey[] {
  return isPair ? [`run:${checkpoint}`, `against:${checkpoint}`] : ['run:initial', 'run:best'];
}

/** One matrix in the making: two networks, or one with itself, at some tokens. */
interface Comparison {
  tokens: Tokens;
  left: NetworkKey;
  right: NetworkKey;
  taps: string[];
  sums: MinibatchCka;
}

class CkaWork implements Work {
  readonly readers: readonly Reader[];
  readonly #subject: Subject;
  readonly #options: MeasureOptions;
  readonly #keys: readonly NetworkKey[];
  readonly #comparisons: Comparison[];
  /** Of the batch at hand, by network, tokens and tap. */
  readonly #grams = new Map<string, CentredGram>();
  #images = 0;

  constructor(subject: Subject, options: MeasureOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#keys = networksOf(options, subject.against !== undefined);
    this.readers = this.#keys.map((network) => ({
      network,
      split: 'test',
      tap: (name, parts, batch) => this.#read(network, name, parts, batch),
    }));
    const model = subject.network(this.#keys[0] ?? 'run:best');
    const [first = 'run:best', second = first] = this.#keys;
    const pairs: [NetworkKey, NetworkKey][] = [
      [first, second],
      [first, first],
      [second, second],
    ];
    this.#comparisons = tokensOf(model).flatMap((tokens) => {
      const taps = model.taps.filter((tap) => tokens !== 'cls' || tap.hasClassToken);
      const names = taps.map(({ name }) => name);
      return pairs.map(([left, right]) => ({
        tokens,
        left,
        right,
        taps: names,
        sums: new MinibatchCka(names, names),
      }));
    });
  }

  batchDone(batch: BatchView): void {
    this.#images += batch.indices.length;
    for (const { tokens, left, right, taps, sums } of this.#comparisons) {
      const gramsOf = (network: NetworkKey): CentredGram[] =>
        taps.map((tap) => {
          const gram = this.#grams.get(keyOf(network, tokens, tap));
          if (!gram) throw new Error(`no Gram matrix of ${network} at ${tap}`);
          return gram;
        });
      const own = gramsOf(left);
      sums.add(own, left === right ? own : gramsOf(right));
    }
    this.#grams.clear();
  }

  finish(): Outcome {
    const { estimator, batch } = this.#options;
    const isPair = this.#subject.against !== undefined;
    const arrays = new Map<string, StoredTensor>();
    const made = this.#comparisons.map((comparison) => {
      const result = comparison.sums.result(estimator);
      const { tokens, left, right, taps } = comparison;
      const name = `${tokens}/${this.#label(left)}/${this.#label(right)}`;
      addArrays(arrays, name, result, taps.length);
      return { comparison, result };
    });
    const first = made[0]?.result;
    const document: CkaDocument = {
      ...this.#subject.head(this.#keys, { isPair }),
      measure: 'cka',
      precision: this.#subject.tapPrecision,
      settings: { batch, estimator },
      images: this.#images,
      batches: first?.batches ?? 0,
      batchesLeftOut: first?.batchesLeftOut ?? 0,
      taps: this.#comparisons[0]?.taps ?? [],
      matrices: made.map(({ comparison: { tokens, left, right, taps }, result }) => ({
        tokens,
        left: this.#side(left),
        right: this.#side(right),
        taps,
        values: result.values,
        undefinedTaps: result.undefinedTaps,
      })),
    };
    return { document, arrays };
  }

  #side(key: NetworkKey): CkaDocument['matrices'][number]['left'] {
    const [side, checkpoint] = key.split(':') as ['run' | 'against', 'initial' | 'best'];
    const owner = side === 'run' ? this.#subject.run : this.#subject.against;
    return { run: owner?.record.runId ?? '', checkpoint };
  }

  #label(key: NetworkKey): string {
    return key.replace(':', '.');
  }

  /** The Gram matrices of a tap: of all its tokens, and of the class token and the patches alone. */
  #read(network: NetworkKey, tap: string, parts: readonly Tensor[], batch: BatchView): void {
    const model = this.#subject.network(network);
    const hasTokens = tokensOf(model).length > 1;
    const put = (tokens: Tokens, gram: Gram): void => {
      this.#grams.set(keyOf(network, tokens, tap), uCentre(gram));
    };
    if (!model.tap(tap).hasClassToken) {
      const gram = this.#gramOf(tap, parts, batch);
      put('all', gram);
      if (hasTokens) put('spatial', gram);
      return;
    }
    const cls = this.#gramOf(
      tap,
      parts.map((part) => ops.narrow(part, 1, 0, 1)),
      batch,
    );
    const patches = this.#gramOf(
      tap,
      parts.map((part) => ops.narrow(part, 1, 1, (part.shape[1] ?? 1) - 1)),
      batch,
    );
    put('cls', cls);
    put('spatial', patches);
    put('all', addGrams(cls, patches));
  }

  #gramOf(tap: string, parts: readonly Tensor[], batch: BatchView): Gram {
    const gram = gramMatrix(parts);
    if (isFiniteGram(gram)) return gram;
    const image = firstNonFinite(parts);
    const name = this.#subject.imageName(batch.indices[image ?? 0] ?? -1);
    const value = image === undefined ? Number.POSITIVE_INFINITY : Number.NaN;
    throw nonFinite({ tap, image: name }, value);
  }
}

function keyOf(network: NetworkKey, tokens: Tokens, tap: string): string {
  return `${network}/${tokens}/${tap}`;
}

/** Class and patch tokens alone only where there is a class token. */
function tokensOf(model: ImageModel): Tokens[] {
  return model.taps.some(({ hasClassToken }) => hasClassToken)
    ? ['all', 'cls', 'spatial']
    : ['all'];
}

/** Position in the batch of the first image with a feature that is not finite. */
function firstNonFinite(parts: readonly Tensor[]): number | undefined {
  let offset = 0;
  for (const part of parts) {
    const samples = part.shape[0] ?? 0;
    const values = part.to({ dtype: 'float32' }).toTypedArray();
    const width = values.length / Math.max(1, samples);
    for (let at = 0; at < values.length; at++) {
      if (!Number.isFinite(Number(values[at]))) return offset + Math.floor(at / width);
    }
    offset += samples;
  }
  return undefined;
}

/** HSIC, from which every CKA follows; finite also where a tap is constant. */
function addArrays(
  arrays: Map<string, StoredTensor>,
  name: string,
  { hsic }: CkaMatrix,
  taps: number,
): void {
  const shapes = { cross: [taps, taps], left: [taps], right: [taps] } as const;
  for (const part of ['cross', 'left', 'right'] as const) {
    arrays.set(`${name}/hsic.${part}`, {
      dtype: 'float64',
      shape: shapes[part],
      bytes: new Uint8Array(hsic[part].slice().buffer),
    });
  }
}

function table(document: AnalysisDocument): TextTable {
  if (document.measure !== 'cka') throw new Error('another measure');
  const { matrices, batches, batchesLeftOut, images, settings } = document;
  const columns = matrices.filter(
    ({ left, right }) => left.run !== right.run || left.checkpoint !== right.checkpoint,
  );
  // Two copies of one run: their matrices are all "with itself".
  const shown = columns.length > 0 ? columns : matrices.filter((_, at) => at % 3 === 0);
  const taps = document.taps;
  const title = ({ tokens, left, right }: CkaDocument['matrices'][number]): string => {
    const networks =
      left.run === right.run
        ? `${left.checkpoint} / ${right.checkpoint}`
        : `run / against, ${left.checkpoint}`;
    return tokens === 'all' ? networks : `${networks}, ${tokens}`;
  };
  return {
    columns: ['tap', ...shown.map((matrix) => `${title(matrix)}: same tap`), 'most similar tap'],
    rows: taps.map((tap) => {
      const row = shown[0]?.values[taps.indexOf(tap)] ?? [];
      const most = row.reduce<number | undefined>(
        (best, value, at) =>
          value !== null && (best === undefined || value > (row[best] ?? Number.NEGATIVE_INFINITY))
            ? at
            : best,
        undefined,
      );
      return [
        tap,
        ...shown.map((matrix) => {
          const at = matrix.taps.indexOf(tap);
          return at < 0 ? '' : describeNumber(matrix.values[at]?.[at]);
        }),
        most === undefined ? '' : `${taps[most]} (${describeNumber(row[most])})`,
      ];
    }),
    notes: [
      `unbiased linear CKA (${settings.estimator}) over ${batches} batches of ${settings.batch}, ${images} images`,
      ...(batchesLeftOut > 0
        ? [`${batchesLeftOut} batches with fewer than 4 images are left out`]
        : []),
      ...undefinedNotes(shown),
    ],
  };
}

function undefinedNotes(matrices: CkaDocument['matrices']): string[] {
  const notes = matrices.flatMap(({ tokens, left, right, undefinedTaps }) =>
    undefinedTaps.map(({ side, tap, reason }) => {
      const { checkpoint } = side === 'left' ? left : right;
      return `${tap}${tokens === 'all' ? '' : `, ${tokens}`} (${checkpoint}): ${reason}`;
    }),
  );
  return [...new Set(notes)];
}
