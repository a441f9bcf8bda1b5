/** The best k-NN metric at any tap, by WT fraction: what figures 14 and 15 show. */
import type { Statistic, StudySummary } from '../results/index.ts';
import { bestDepth } from './knnFindings.ts';
import { findSettings } from './settings.ts';
import { fractionOf } from './styles.ts';

export type EmbeddingKind = 'both' | 'cls' | 'spatial';

export interface KnnMaximum {
  data: string;
  model: string;
  init: string;
  /** Absent for RI. */
  fraction?: number;
  /** Over seeds, at the tap with the greatest mean. */
  value: Statistic;
}

/**
 * The greatest mean over taps of each data set, model and initialisation.
 * @param kind of embedding; by default the one that stands for each tap, as in figure 6
 */
export function knnMaxima(summary: StudySummary, kind?: EmbeddingKind): KnnMaximum[] {
  const settings = findSettings(
    summary,
    ({ measure, detail }) => measure === 'knn' && (kind === undefined || detail === kind),
  );
  return settings.flatMap(({ data, model, init, rows }) => {
    const [value, fraction] = [bestDepth(rows)?.value, fractionOf(init)];
    if (value === undefined || (fraction === undefined && init !== 'ri')) return [];
    return [{ data, model, init, fraction, value }];
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
