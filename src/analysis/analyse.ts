/** Analyses a run: all measures that are asked for, over one shared pass a split. */
import { type MeasureName, type MeasureSettings, measureSettings } from '../results/index.ts';
import { DEFAULT_NEIGHBOURS, DEFAULT_TEMPERATURE } from './knnVotes.ts';
import type { Measure, MeasureOptions, Outcome, Work } from './measure.ts';
import { sharedPass } from './pass.ts';
import { DEFAULT_BINS } from './reliability.ts';
import type { Subject } from './subject.ts';

export interface AnalyseEvents {
  onProgress?: (text: string, done: number, total: number) => void;
}

/** METHODS' settings. */
export const defaultMeasureOptions: MeasureOptions = {
  checkpoint: 'best',
  neighbours: DEFAULT_NEIGHBOURS,
  voteWeights: 'exponential',
  temperature: DEFAULT_TEMPERATURE,
  probe: false,
  batch: 128,
  estimator: 'ratio-of-means',
  bins: DEFAULT_BINS,
};

/** The options that concern a measure, as its document keeps them. */
function settingsOf(
  measure: MeasureName,
  { neighbours, voteWeights, embeddings, ...others }: MeasureOptions,
  precision: 'fp32' | 'bf16' | undefined,
): MeasureSettings {
  return measureSettings(measure, {
    ...others,
    k: neighbours,
    votes: voteWeights,
    embeddings: embeddings && [...embeddings],
    precision,
  });
}

/**
 * Runs the measures on a subject. Batches have the size that CKA is defined with; no other measure
 * depends on it.
 * @returns what each found, in the order given. Nothing is written.
 * @throws RequestError and WorkError as the measures do; the subject's networks stay open for its owner.
 */
export async function analyse(
  subject: Subject,
  measures: readonly Measure[],
  options: MeasureOptions,
  { onProgress }: AnalyseEvents = {},
): Promise<Outcome[]> {
  const isPair = subject.against !== undefined;
  await subject.openNetworks(measures.flatMap((measure) => measure.networks(options, isPair)));
  const works: Work[] = [];
  try {
    for (const measure of measures) works.push(await measure.begin(subject, options));
    for (const split of ['train', 'val', 'test'] as const) {
      if (!works.some(({ readers }) => readers.some((reader) => reader.split === split))) continue;
      const loader = await subject.openSplit(split, options.batch);
      try {
        subject.warn(...loader.notes);
        await sharedPass(loader, split, works, {
          device: subject.options.device,
          precision: subject.tapPrecision,
          signal: subject.options.signal,
          network: (key) => subject.network(key),
          onProgress: (done, total) => onProgress?.(`${split} images`, done, total),
        });
      } finally {
        await loader.close();
      }
    }
    const outcomes: Outcome[] = [];
    for (const work of works) {
      const { document, arrays } = await work.finish();
      const name = document.measure;
      outcomes.push({
        document: { ...document, options: settingsOf(name, options, subject.options.precision) },
        ...(arrays ? { arrays } : {}),
      });
    }
    return outcomes;
  } finally {
    for (const work of works) work.dispose?.();
  }
}
