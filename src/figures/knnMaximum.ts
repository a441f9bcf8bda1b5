/** The best k-NN metric at any tap, by WT fraction: what figures 14 and 15 show. */
import type { AnalysisRow, Statistic, StudySummary } from '../results/index.ts';
import { fractionOf } from './styles.ts';

export type EmbeddingKind = 'both' | 'cls' | 'spatial';

export interface KnnMaximum {
  data: string;
  model: string;
  init: string;
  /** Absent for RI. */
  fraction?: number;
  embedding: EmbeddingKind;
  /** Over seeds, at the tap with the greatest mean. */
  value: Statistic;
  tap: string;
}

const kinds: readonly EmbeddingKind[] = ['both', 'cls', 'spatial'];

/** The greatest mean over taps of each data set, model, initialisation and kind of embedding. */
export function knnMaxima({ findings }: StudySummary): KnnMaximum[] {
  const best = new Map<string, AnalysisRow & { value: Statistic }>();
  for (const row of findings) {
    const { value } = row;
    if (row.measure !== 'knn' || value === undefined) continue;
    const key = JSON.stringify([row.data, row.model, row.init, row.detail]);
    const known = best.get(key);
    if (!known || value.mean > known.value.mean) best.set(key, { ...row, value });
  }
  return [...best.values()].flatMap(({ data, model, init, detail, value, of }) => {
    const embedding = kinds.find((kind) => kind === detail);
    const fraction = fractionOf(init);
    if (embedding === undefined || (fraction === undefined && init !== 'ri')) return [];
    return [{ data, model, init, fraction, embedding, value, tap: of }];
  });
}

/** Points of one line, in order of the fraction, and RI's beside them. */
export function maximumLine(maxima: readonly KnnMaximum[]): {
  points: { fraction: number; value: Statistic }[];
  random?: Statistic;
} {
  const points = maxima
    .flatMap(({ fraction, value }) => (fraction === undefined ? [] : [{ fraction, value }]))
    .sort((a, b) => a.fraction - b.fraction);
  const random = maxima.find(({ init }) => init === 'ri')?.value;
  return { points, ...(random ? { random } : {}) };
}

/** The kind that stands for a model: both tokens together where it has a class token. */
export function mainKind(maxima: readonly KnnMaximum[]): EmbeddingKind | undefined {
  const there = new Set(maxima.map(({ embedding }) => embedding));
  return (['both', 'spatial', 'cls'] as const).find((kind) => there.has(kind));
}
