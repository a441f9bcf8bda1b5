/** The keys of a data set's entry that say how it is split, and how much of it is trained on. */
import { z } from 'zod';
import { RequestError } from '../util/index.ts';
import type { SplitSettings, TrainingSubset } from './dataSet.ts';

export const defaultRatios = [0.8, 0.1, 0.1] as const;

const part = z.number().positive();
const method = z.enum(['balanced', 'released-code']);

/** All keys optional; the data set's own defaults stand in for what is absent. */
export const splitSettingsSchema = z.union([
  method,
  z
    .strictObject({
      ratios: z
        .tuple([part, part, part])
        .optional()
        .describe(
          'Parts of training, validation and test, for example `[0.8, 0.1, 0.1]` or `[80, 10, 10]`.',
        ),
      method: method
        .optional()
        .describe(
          '`balanced`: by class or by group; `released-code`: the order of the paper’s released code.',
        ),
      leakage: z
        .enum(['error', 'report'])
        .optional()
        .describe('What a group or a byte-identical file in two splits is: an error, or a note.'),
      folds: z
        .int()
        .min(2)
        .optional()
        .describe('Cross-validation in so many parts, each the test split of one `fold`.'),
      fold: z.int().min(0).optional().describe('From 0.'),
    })
    .superRefine(({ folds, fold, method: chosen }, context) => {
      const complain = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [key], message });
      if (fold !== undefined && folds === undefined) complain('fold', 'folds beside it');
      if (folds !== undefined && fold === undefined)
        complain('fold', `a fold from 0 to ${folds - 1}`);
      if (fold !== undefined && folds !== undefined && fold >= folds)
        complain('fold', `a fold from 0 to ${folds - 1}`);
      if (folds !== undefined && chosen === 'released-code')
        complain('method', 'balanced with folds');
    }),
]);

export type SplitSettingsInput = z.input<typeof splitSettingsSchema>;

/** Keys of an entry that use a part of the training split only; smaller parts lie inside larger ones. */
export const subsetKeys = {
  fraction: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('The share of the training split that is trained on.'),
  nTrain: z
    .int()
    .positive()
    .optional()
    .describe('The number of training samples, in place of `fraction`.'),
  n_train: z.int().positive().optional().describe('The same under the name that papers give it.'),
};

/** `given` with defaults filled in; ratios scaled to a sum of 1. */
export function splitSettings(
  given: SplitSettingsInput | undefined,
  ratios: readonly [number, number, number] = defaultRatios,
): SplitSettings {
  const settings = typeof given === 'string' ? { method: given } : (given ?? {});
  const [train, val, test] = settings.ratios ?? ratios;
  const total = train + val + test;
  // Left alone where they already make 1 but for rounding, so that 0.8 stays 0.8.
  const scale = Math.abs(total - 1) < 1e-9 ? 1 : total;
  const { folds: of, fold: at } = settings;
  return {
    ratios: [train / scale, val / scale, test / scale],
    method: settings.method ?? 'balanced',
    leakage: settings.leakage ?? 'error',
    ...(of === undefined || at === undefined ? {} : { fold: { at, of } }),
  };
}

/**
 * The part of the training split that an entry asks for.
 * @throws RequestError where it asks twice.
 */
export function trainingSubset(
  entry: { kind: string; fraction?: number; nTrain?: number; n_train?: number },
  where: string,
): TrainingSubset | undefined {
  const { fraction } = entry;
  const samples = entry.nTrain ?? entry.n_train;
  const given = [fraction, entry.nTrain, entry.n_train].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new RequestError({ where, expected: 'fraction or nTrain', got: 'both' });
  }
  if (fraction !== undefined) return { fraction };
  return samples === undefined ? undefined : { samples };
}
