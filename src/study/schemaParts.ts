/** The parts of a study file: initialisations, sources, analyses, variants, the learning-rate grid. */
import { z } from 'zod';
import {
  initSchema,
  measureNames,
  measureOptionSchemas,
  partialTransferSchema,
  type TrainingSettings,
  trainingSchema,
} from '../results/index.ts';
import type { InitEntry } from './inits.ts';

export const count = z.int().positive();

/** A value, or a list of them; always a list once it is read. */
export const oneOrMore = <S extends z.ZodType>(schema: S) =>
  z.union([schema, z.array(schema).min(1)]).transform((value) => [value].flat());

/** Names that become file names and column titles. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a name of letters, digits, ".", "_" and "-"');

/** Data sets as selections name them: also the parts that an axis makes, such as `isic2019@500`. */
const dataName = z.string().min(1);

/** An initialisation, or many: `wt-st` is all WT-ST-n/m, `wt_st` those of n/(n + m) nearest to the numbers. */
export const initEntrySchema: z.ZodType<InitEntry> = z.union([
  z.enum(['wt', 'st', 'ri', 'wt-st']),
  partialTransferSchema,
  z.strictObject({
    wt_st: z
      .array(z.number().min(0).max(1))
      .min(1)
      .describe('Shares of each model’s modules that keep their weights.'),
  }),
]);

/** What selects runs by their initialisation. */
const initSelection = z.union([initSchema, z.literal('wt-st')]);

/** Every setting but the threads, which the study shares out itself. */
type PatchShape = {
  [Key in Exclude<keyof TrainingSettings, 'threads'>]: z.ZodOptional<
    z.ZodType<TrainingSettings[Key]>
  >;
};

/**
 * Some training settings: each as in a run's configuration, none required, no default filled in.
 * @param augment the schema of the random changes of images, which the data layer has
 */
export function makeTrainingPatchSchema(augment: z.ZodType) {
  const fields = Object.entries<z.ZodDefault>(trainingSchema.shape)
    .filter(([key]) => key !== 'threads')
    .map(([key, field]): [string, z.ZodOptional<z.ZodType>] => [
      key,
      z.optional(field.unwrap() as z.ZodType).describe(field.description ?? ''),
    ]);
  const shape = Object.fromEntries(fields) as PatchShape;
  const described = z.toJSONSchema(augment, { io: 'input' });
  const settings = z
    .record(z.string(), z.unknown())
    .superRefine((value, context) => {
      const { error } = augment.safeParse(value);
      // Checked here, and kept as it was written: the settings are part of a run's identity.
      for (const issue of error?.issues ?? []) {
        context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
      }
    })
    .meta({ properties: described.properties, additionalProperties: false });
  return z.strictObject({
    ...shape,
    augment: z
      .union([z.boolean(), settings])
      .optional()
      .describe(trainingSchema.shape.augment.description ?? ''),
  });
}

export type TrainingPatchSchema = ReturnType<typeof makeTrainingPatchSchema>;

export const modelEntrySchema = z.union([
  z.string(),
  z.strictObject({
    model: z.string().describe('The model; `carryover models` lists them.'),
    weights: z
      .string()
      .optional()
      .describe(
        'The checkpoint that all but `ri` read: a file, or `imagenet` for the published one. Without it, the study’s source.',
      ),
    inits: z
      .array(initEntrySchema)
      .min(1)
      .optional()
      .describe('Initialisations of this model, instead of the study’s.'),
  }),
]);

/** A source domain, by its data or by checkpoints. */
export function makeSourceSchema<D extends z.ZodType>(data: D, training: TrainingPatchSchema) {
  return z.strictObject({
    name: nameSchema
      .default('source')
      .describe('What the source domain is called in tables and file names.'),
    data: data
      .optional()
      .describe('The data set on which the study trains a checkpoint of each model.'),
    weights: z
      .union([z.string(), z.record(z.string(), z.string())])
      .optional()
      .describe(
        'Checkpoints instead of training: `imagenet` for each model’s published one, or a file by model.',
      ),
    train: training.prefault({}).describe('Settings on top of the study’s own `training`.'),
    overrides: z
      .array(
        z.strictObject({
          model: oneOrMore(z.string()).describe('The models that it is for.'),
          training: training.describe('Their settings.'),
        }),
      )
      .default([])
      .describe('Settings on top of `train`, by model.'),
    seed: z.int().min(0).default(0).describe('Seed of the training on it.'),
    splitSeed: z.int().min(0).default(0).describe('Seed of its splits.'),
  });
}

/** Settings of some target runs. */
export function makeOverrideSchema(training: TrainingPatchSchema) {
  return z.strictObject({
    data: oneOrMore(dataName)
      .optional()
      .describe('Data sets that it is for; the name of a set with parts is all of them.'),
    model: oneOrMore(z.string()).optional().describe('Models that it is for.'),
    init: oneOrMore(initSelection)
      .optional()
      .describe('Initialisations that it is for; `wt-st`: all WT-ST-n/m.'),
    source: oneOrMore(nameSchema)
      .optional()
      .describe('Sources that it is for: runs whose weights come from them.'),
    training: training.describe('The settings.'),
  });
}

/** Which runs of the study something is done for; all of them where a key is absent. */
const selection = {
  data: oneOrMore(dataName).optional().describe('Only these data sets.'),
  models: oneOrMore(z.string()).optional().describe('Only these models.'),
  inits: oneOrMore(initSelection)
    .optional()
    .describe('Only these initialisations; `wt-st`: all WT-ST-n/m.'),
  seeds: oneOrMore(z.int().min(0)).optional().describe('Only these seeds.'),
};

/** Further runs of settings of the study, trained in another way. */
export function makeVariantSchema(training: TrainingPatchSchema) {
  return z.strictObject({
    name: nameSchema.describe('What tables and figures call it.'),
    ...selection,
    inits: z
      .array(initEntrySchema)
      .min(1)
      .optional()
      .describe('As the study’s `inits`, which are the default.'),
    training: training.describe('Settings on top of those of the study’s own runs.'),
  });
}

export function makeGridSchema(training: TrainingPatchSchema) {
  return z
    .strictObject({
      min: z.number().positive().describe('The lowest learning rate.'),
      max: z.number().positive().describe('The highest learning rate.'),
      points: z.int().min(2).describe('Rates from the lowest to the highest, in equal ratios.'),
      epochs: count.describe('Epochs of each run.'),
      ...selection,
      inits: z
        .array(initEntrySchema)
        .min(1)
        .optional()
        .describe('Default: those of the study, without WT-ST-n/m.'),
      seeds: z
        .array(z.int().min(0))
        .min(1)
        .default([0])
        .describe('Seeds of every setting and rate.'),
      training: training.prefault({}).describe('Settings on top of those of the study’s own runs.'),
    })
    .refine(({ min, max }) => min < max, { path: ['max'], message: 'more than min' });
}

const measureEntries = {
  knn: measureOptionSchemas.knn.partial().extend(selection),
  cka: measureOptionSchemas.cka.partial().extend(selection),
  l2: measureOptionSchemas.l2.extend(selection),
  reinit: measureOptionSchemas.reinit.partial().extend(selection),
  attention: measureOptionSchemas.attention.partial().extend(selection),
  convergence: measureOptionSchemas.convergence.extend(selection),
  calibration: measureOptionSchemas.calibration.partial().extend(selection),
};

const measureDescriptions: Record<keyof typeof measureEntries, string> = {
  knn: 'What the features of each tap say of the classes, by nearest neighbours.',
  cka: 'How similar the representations at all pairs of taps are; of WT and ST also against each other.',
  l2: 'How far the weights of each tap are from where they began.',
  reinit: 'The test metric with one tap put back to its initial state.',
  attention: 'How far, in pixels, each head of a vision transformer looks.',
  convergence: 'Iterations to the best validation metric, and the curve that led there.',
  calibration: 'Every class, the confusion matrix, and whether confidence is deserved.',
};

/** FID between the source domain and every data set, once a study. */
export function makeFidSchema<D extends z.ZodType>(data: D) {
  return z.strictObject({
    extractor: z
      .enum(['fid-inception', 'torchvision'])
      .describe('The network of the features; numbers of the two cannot be compared.'),
    weights: z
      .string()
      .describe('Its checkpoint: a file, or `imagenet` for the published one of torchvision.'),
    source: z
      .union([z.string().regex(/\.npz$/), data])
      .optional()
      .describe(
        'The images on the other side: a data set, or an .npz file of their statistics. Default: the study’s source.',
      ),
    data: oneOrMore(dataName).optional().describe('Only these data sets.'),
  });
}

/** One measure with options: a mapping of one key. */
export function makeAnalysisEntrySchema<D extends z.ZodType>(data: D) {
  const shape = Object.fromEntries(
    measureNames.map((name) => [
      name,
      measureEntries[name].optional().describe(measureDescriptions[name]),
    ]),
  ) as {
    [Name in keyof typeof measureEntries]: z.ZodOptional<(typeof measureEntries)[Name]>;
  };
  return z.union([
    z.enum(measureNames),
    z
      .strictObject({
        ...shape,
        fid: makeFidSchema(data)
          .optional()
          .describe('Fréchet Inception Distance between the source domain and every data set.'),
      })
      .refine((entry) => Object.values(entry).filter((value) => value !== undefined).length === 1, {
        message: 'one measure an entry, for example { cka: { batch: 64 } }',
      }),
  ]);
}
