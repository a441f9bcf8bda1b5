/** The `split` key of a data set's entry. */
import { z } from 'zod';
import type { SplitSettings } from './dataSet.ts';

export const defaultRatios = [0.8, 0.1, 0.1] as const;

const part = z.number().positive();

/** All keys optional; the data set's own defaults stand in for what is absent. */
export const splitSettingsSchema = z.strictObject({
  /** Parts of training, validation and test, for example `[0.8, 0.1, 0.1]` or `[80, 10, 10]`. */
  ratios: z.tuple([part, part, part]).optional(),
  method: z.enum(['balanced', 'released-code']).optional(),
  leakage: z.enum(['error', 'report']).optional(),
});

export type SplitSettingsInput = z.input<typeof splitSettingsSchema>;

/** `given` with defaults filled in; ratios scaled to a sum of 1. */
export function splitSettings(
  given: SplitSettingsInput | undefined,
  ratios: readonly [number, number, number] = defaultRatios,
): SplitSettings {
  const [train, val, test] = given?.ratios ?? ratios;
  const total = train + val + test;
  // Left alone where they already make 1 but for rounding, so that 0.8 stays 0.8.
  const scale = Math.abs(total - 1) < 1e-9 ? 1 : total;
  return {
    ratios: [train / scale, val / scale, test / scale],
    method: given?.method ?? 'balanced',
    leakage: given?.leakage ?? 'error',
  };
}
