/** The random changes of training images (METHODS: data sets, pixels), and their settings. */
import { z } from 'zod';
import { validate } from '../../results/index.ts';

const probability = z.number().min(0).max(1);
/** A strength of brightness, contrast or saturation: factors from 1 - strength to 1 + strength. */
const strength = z.number().min(0);

const rangeOf = (low: z.ZodNumber) =>
  z.tuple([low, low]).refine(([from, to]) => from <= to, 'a range [low, high]');

export const augmentSchema = z.strictObject({
  crop: z
    .enum(['random_resized_crop', 'random_crop', 'centre_crop'])
    .default('random_resized_crop')
    .describe(
      "The part of a picture that is seen; `random_crop` is the plain crop that the paper's words name.",
    ),
  scale: rangeOf(z.number().gt(0).max(1))
    .default([0.8, 1])
    .describe("Part of the picture's area that a random resized crop takes."),
  ratio: rangeOf(z.number().positive())
    .default([3 / 4, 4 / 3])
    .describe('Its width over its height.'),
  horizontalFlip: probability.default(0.5).describe('Probability of a horizontal flip.'),
  verticalFlip: probability.default(0.5).describe('Probability of a vertical flip.'),
  colourJitter: z
    .union([
      z.literal(false),
      z.strictObject({
        probability: probability.default(0.2).describe('How often colours are changed.'),
        brightness: strength.default(0.2).describe('Strength of changes of brightness.'),
        contrast: strength.default(0.2).describe('Strength of changes of contrast.'),
        saturation: strength.default(0.1).describe('Strength of changes of saturation.'),
        hue: z
          .number()
          .min(0)
          .max(0.5)
          .default(0.1)
          .describe('Hue is turned by at most this part of the circle.'),
      }),
    ])
    .prefault({})
    .describe("torchvision's ColorJitter, applied with a probability; false for none."),
});

export type AugmentSettings = z.output<typeof augmentSchema>;

/**
 * The `augment` setting of a run: true for the defaults, false for none (centre crops), or settings.
 * @throws RequestError for unknown keys and values out of range.
 */
export function parseAugment(value: unknown, where = 'training.augment'): AugmentSettings | false {
  if (value === false) return false;
  return validate(augmentSchema, value === true || value === undefined ? {} : value, { where });
}
