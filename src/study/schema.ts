/**
 * The study file: data sets × models × initialisations × sources × repeats. Strict: an unknown key is an
 * error. Every key has a description, from which the published JSON schema is made.
 */
import { z } from 'zod';
import type { DataAxisSpec, DataSpec } from '../data/index.ts';
import { initOptionsSchema } from '../results/index.ts';
import { executorSchema } from './executors/settings.ts';
import {
  count,
  initEntrySchema,
  makeAnalysisEntrySchema,
  makeGridSchema,
  makeOverrideSchema,
  makeSourceSchema,
  makeTrainingPatchSchema,
  makeVariantSchema,
  modelEntrySchema,
  nameSchema,
} from './schemaParts.ts';

/** What the schema asks of the layers below, so that this file loads none of them. */
export interface StudyVocabulary {
  /** A data set's entry (`dataSpecSchema` of src/data). */
  dataSpec: z.ZodType<DataSpec>;
  /** The same, with lists of sizes (`dataAxisSchema` of src/data). */
  dataAxis: z.ZodType<DataAxisSpec>;
  /** The random changes of images (`augmentSchema` of src/data). */
  augment: z.ZodType;
  modelIds: readonly string[];
  /** Whether an id names a model; takes ids such as `deit_small:5` too. */
  isModel: (id: string) => boolean;
}

/** The keys of a study file; what they have to do with each other is checked by schemaChecks.ts. */
export function makeStudyShape(vocabulary: StudyVocabulary) {
  /** A data set: `kind:path`, or an entry with its settings. */
  const dataSchema = z.union([z.string(), vocabulary.dataSpec]);
  const training = makeTrainingPatchSchema(vocabulary.augment);
  const source = makeSourceSchema(dataSchema, training);
  return z.strictObject({
    name: nameSchema
      .optional()
      .describe('What the study and its folder are called. Default: the file’s name.'),
    description: z.string().optional().describe('What it is for, in a sentence.'),
    data: z
      .record(nameSchema, z.union([z.string(), vocabulary.dataAxis]))
      .describe(
        'Target data sets by the name that tables give them: `kind:path`, or an entry. A list of `nTrain` or `fraction` makes one data set of each.',
      ),
    models: z.array(modelEntrySchema).min(1).describe('Models, with their checkpoints.'),
    inits: z
      .array(initEntrySchema)
      .min(1)
      .default(['ri', 'st', 'wt'])
      .describe(
        'Initialisations: `ri`, `st`, `wt`, `wt-st-5`, `wt-st` for every WT-ST-n/m, `{ wt_st: [0.5] }` for shares.',
      ),
    repeats: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Runs with seeds 0, 1, … of each setting. Default: 5. With 0 only variants and the learning-rate grid are run.',
      ),
    seeds: z
      .array(z.int().min(0))
      .optional()
      .describe('The seeds themselves, instead of `repeats`.'),
    source: source.optional().describe('The source domain, whose checkpoints all but `ri` read.'),
    sources: z
      .array(source)
      .min(1)
      .optional()
      .describe('Several source domains instead of one, each a setting of its own.'),
    initOptions: initOptionsSchema
      .prefault({})
      .describe('How initialisations treat norms, tokens and first convolutions.'),
    training: training.prefault({}).describe('Settings of every run.'),
    overrides: z
      .array(makeOverrideSchema(training))
      .default([])
      .describe('Settings of some target runs; of several that apply, a later one wins.'),
    splitSeed: z.int().min(0).default(0).describe('Seed of the target data sets’ splits.'),
    analyses: z
      .array(makeAnalysisEntrySchema(dataSchema))
      .default([])
      .describe(
        'Measures of every finished run: a name, or one with options; of CKA also WT against ST, by seed.',
      ),
    variants: z
      .array(makeVariantSchema(training))
      .default([])
      .describe(
        'Further runs of some settings under other training settings, for their curves; tables leave them out.',
      ),
    learningRateGrid: makeGridSchema(training)
      .optional()
      .describe(
        'A search for the best learning rate, by validation: `learning-rates.csv`; tables leave its runs out.',
      ),
    parallel: z
      .union([z.literal('auto'), count])
      .default('auto')
      .describe('Runs at once; `auto`: as many as there are cores on a CPU, one a GPU.'),
    threads: z
      .union([z.literal('auto'), count])
      .default('auto')
      .describe('Threads of each run; `auto`: the cores shared out among the runs at once.'),
    executor: executorSchema
      .prefault('local')
      .describe('Where runs are carried out: `local`, `slurm`, or `kind: slurm` with settings.'),
  });
}

export type StudyFile = z.output<ReturnType<typeof makeStudyShape>>;
