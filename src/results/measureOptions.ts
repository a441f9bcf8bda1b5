/**
 * What each measure of a run can be told, with METHODS' defaults. An analysis keeps the options that it was
 * taken with, so that a study knows when one of other options is due.
 */
import { z } from 'zod';
import type { MeasureName } from './analysis.ts';

const checkpoint = z
  .enum(['best', 'initial'])
  .default('best')
  .describe('The network that is looked at: the best one, or as training began.');

const precision = z
  .enum(['auto', 'fp32', 'bf16'])
  .default('auto')
  .describe('Number format; `auto`: fp32 at taps, the run’s own where the metric is judged.');

/** The options of every measure; those of convergence and ℓ2 are none but the network's. */
export const measureOptionSchemas = {
  knn: z.strictObject({
    k: z.int().positive().default(200).describe('Neighbours that vote.'),
    votes: z
      .enum(['exponential', 'uniform'])
      .default('exponential')
      .describe('Weights of the votes: exp(similarity / temperature), or all alike.'),
    temperature: z.number().positive().default(0.1).describe('Of exponential votes.'),
    embeddings: z
      .array(z.enum(['both', 'cls', 'spatial']))
      .min(1)
      .nullable()
      .default(null)
      .describe('Kinds of embedding behind a class token; null: all of them.'),
    probe: z.boolean().default(false).describe('Whether a linear probe stands beside k-NN.'),
    checkpoint,
    precision,
  }),
  cka: z.strictObject({
    batch: z.int().min(4).default(128).describe('Images of a batch.'),
    estimator: z
      .enum(['ratio-of-means', 'mean-of-ratios'])
      .default('ratio-of-means')
      .describe('How batches are brought together; mean-of-ratios is the released code’s.'),
    checkpoint: checkpoint.describe('The network of both runs where two are compared.'),
    precision,
  }),
  l2: z.strictObject({}),
  reinit: z.strictObject({ precision }),
  attention: z.strictObject({ checkpoint, precision }),
  convergence: z.strictObject({}),
  calibration: z.strictObject({
    bins: z.int().positive().default(15).describe('Bins of confidence.'),
    checkpoint,
    precision,
  }),
} satisfies Record<MeasureName, z.ZodType>;

/** The options of one measure, every default filled in. */
export type MeasureSettings = Readonly<Record<string, unknown>>;

/** What a user gave for a measure, with the defaults beside it; keys that are none of its own are left out. */
export function measureSettings(
  measure: MeasureName,
  given: Readonly<Record<string, unknown>> = {},
): MeasureSettings {
  const schema = measureOptionSchemas[measure];
  const own = Object.entries(given).filter(
    ([key, value]) => Object.hasOwn(schema.shape, key) && value !== undefined,
  );
  return schema.parse(Object.fromEntries(own));
}

/**
 * Whether an analysis was taken with these options. One that does not say which was taken with the defaults.
 */
export function hasSettings(
  document: { measure: MeasureName; options?: MeasureSettings },
  wanted: MeasureSettings,
): boolean {
  const taken = document.options ?? measureSettings(document.measure);
  const keys = new Set([...Object.keys(taken), ...Object.keys(wanted)]);
  return [...keys].every((key) => JSON.stringify(taken[key]) === JSON.stringify(wanted[key]));
}
