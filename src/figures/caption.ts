/** Sentences that captions share, made from what the study has. */
import type { StudySummary } from '../results/index.ts';
import { counted, listed, listedFirst, whole } from '../util/index.ts';

/**
 * How many images and seeds, in which number format and on what: the last sentences of every caption.
 * @param data names of the data sets that the figure shows; all of the study by default
 */
export function provenance(summary: StudySummary, data: readonly string[] = []): string {
  const sets = summary.data.filter(({ name }) => data.length === 0 || data.includes(name));
  const sizes = sets.flatMap(({ name, samples }) =>
    samples === undefined ? [] : [`${name} ${whole(samples)}`],
  );
  const { precisions, devices } = summary.environment;
  const computed = [
    ...(precisions.length > 0 ? [`precision ${listed(precisions)}`] : []),
    ...(devices.length > 0 ? [`device ${listed(devices)}`] : []),
  ];
  return [
    ...(sizes.length > 0 ? [`Images: ${listed(sizes)}.`] : []),
    `${counted(summary.axes.seeds.length, 'seed')} planned.`,
    ...(computed.length > 0 ? [`Computed with ${computed.join(', ')}.`] : []),
  ].join(' ');
}

/** `3 to 5 runs`: how many values are behind the points of a figure. */
export function repeats(counts: readonly number[], noun = 'run'): string {
  if (counts.length === 0) return `no ${noun}s`;
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? counted(most, noun) : `${least} to ${counted(most, noun)}`;
}

/**
 * A sentence that names what has no value, so that it is not drawn; nothing where all have one.
 * @param lead what is said of them
 */
export function leftOut(names: readonly string[], lead = 'Undefined and not drawn'): string {
  const distinct = [...new Set(names)];
  return distinct.length === 0 ? '' : `${lead}: ${listedFirst(distinct, 8)}.`;
}

/** Sentences with one space between them, empty ones left out. */
export function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
