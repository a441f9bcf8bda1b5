/** What a reader should not make of a study: its limits, from its facts. */
import type { StudySummary } from '../results/index.ts';
import { counted, FEWEST_REPEATS, listed, listedFirst, whole } from '../util/index.ts';

/** Test images below which a metric hangs on single pictures. */
const SMALL_TEST = 500;
/** Test images of a class below which its recall is coarse. */
const SMALL_CLASS = 20;

export function limits(summary: StudySummary): string[] {
  const { axes, data, rows, planned, environment, table, settings } = summary;
  const found: string[] = [];
  const seeds = axes.seeds.length;
  if (seeds < FEWEST_REPEATS) {
    found.push(
      `${counted(seeds, 'seed')}: no intervals and no statement of chance; differences of this size can come from the seed alone.`,
    );
  } else if (seeds < 10) {
    found.push(
      `${counted(seeds, 'seed')}: bootstrap intervals of so few values are too narrow, rather than too wide.`,
    );
  }
  const small = data.filter(({ counts }) => counts && counts.test < SMALL_TEST);
  if (small.length > 0) {
    found.push(
      `Small test splits: ${listed(small.map(({ name, counts }) => `${name} with ${counted(counts?.test ?? 0, 'image')}`))}. All seeds share them, so intervals over seeds do not hold what another choice of test images would change.`,
    );
  } else {
    found.push(
      'All seeds share one split: intervals over seeds do not hold what another choice of test images would change.',
    );
  }
  const rare = data.flatMap(({ name, classCounts }) =>
    (classCounts ?? [])
      .filter(({ test }) => test < SMALL_CLASS)
      .map((one) => `${one.name} of ${name} (${one.test})`),
  );
  if (rare.length > 0) {
    found.push(`Classes with fewer than ${SMALL_CLASS} test images: ${listedFirst(rare, 6)}.`);
  }
  const undefinedRuns = table.cells.reduce((sum, cell) => sum + cell.undefinedRuns.length, 0);
  if (undefinedRuns > 0) {
    found.push(
      `${counted(undefinedRuns, 'run')} with an undefined test metric, left out of all means.`,
    );
  }
  if (rows.length < planned) {
    found.push(
      `${whole(planned - rows.length)} of ${whole(planned)} planned runs are not finished: means and tests are over the others.`,
    );
  }
  if (environment.precisions.length > 1) {
    found.push(
      `Runs were computed in different number formats (${listed(environment.precisions)}).`,
    );
  }
  if (environment.devices.length > 1) {
    found.push(`Runs were computed on different devices (${listed(environment.devices)}).`);
  }
  if ((environment.versions.method?.length ?? 0) > 1) {
    found.push('Runs were made by different versions of the method.');
  }
  if (isSynthetic(summary)) {
    found.push(
      'The pictures are synthetic: drawings that only look like medical images. No number here says anything of medicine.',
    );
  }
  if (data.length === 1) found.push('One data set: what holds here need not hold on another.');
  if (settings.source === undefined && !summary.source) {
    found.push(
      'What the pretrained weights were trained on is known only by the name of their file.',
    );
  }
  return found;
}

/** Whether the study says of itself that its pictures are drawn. */
export function isSynthetic({ settings, description }: StudySummary): boolean {
  const text = `${description ?? ''} ${JSON.stringify(settings.data ?? {})}`.toLowerCase();
  return text.includes('synthetic');
}
