/** The study file: data sets × models × initialisations × repeats. Strict: an unknown key is an error. */
import { z } from 'zod';
import type { DataSpec } from '../data/index.ts';
import {
  initOptionsSchema,
  initSchema,
  measureNames,
  partialTransferSchema,
  trainingSchema,
} from '../results/index.ts';
import { countsModules, type InitEntry } from './inits.ts';

const count = z.int().positive();
const oneOrMore = <S extends z.ZodType>(schema: S) =>
  z.union([schema, z.array(schema).min(1)]).transform((value) => [value].flat());

/** Names that become file names and column titles. */
const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a name of letters, digits, ".", "_" and "-"');

/** An initialisation, or many: `wt-st` is all WT-ST-n/m, `wt_st` those of n/(n + m) nearest to the numbers. */
const initEntrySchema: z.ZodType<InitEntry> = z.union([
  z.enum(['wt', 'st', 'ri', 'wt-st']),
  partialTransferSchema,
  z.strictObject({ wt_st: z.array(z.number().min(0).max(1)).min(1) }),
]);

/** What the schema asks of the layers below, so that this file loads none of them. */
export interface StudyVocabulary {
  /** A data set's entry (`dataSpecSchema` of src/data). */
  dataSpec: z.ZodType<DataSpec>;
  modelIds: readonly string[];
  /** Whether an id names a model; takes ids such as `deit_small:5` too. */
  isModel: (id: string) => boolean;
}

/** Some training settings: each as in a run's configuration, none required, no default filled in. */
const patchShape = Object.fromEntries(
  Object.entries(trainingSchema.shape)
    .filter(([key]) => key !== 'threads')
    .map(([key, field]) => [key, z.optional(field.unwrap())]),
);
export const trainingPatchSchema = z.strictObject(patchShape);

const modelSchema = z.union([
  z.string(),
  z.strictObject({
    model: z.string(),
    /** The checkpoint that all but `ri` read; without it, the study's source. */
    weights: z.string().optional(),
  }),
]);

const makeSourceSchema = (dataSchema: z.ZodType<string | DataSpec>) =>
  z.strictObject({
    /** What the source domain is called in tables and file names. */
    name: nameSchema.default('source'),
    data: dataSchema,
    /** Settings on top of the study's own `training`. */
    train: trainingPatchSchema.prefault({}),
    /** Settings on top of `train`, by model. */
    overrides: z
      .array(z.strictObject({ model: oneOrMore(z.string()), training: trainingPatchSchema }))
      .default([]),
    seed: z.int().min(0).default(0),
    splitSeed: z.int().min(0).default(0),
  });

/** The schema of a study file. */
export function makeStudySchema({ dataSpec, modelIds, isModel }: StudyVocabulary) {
  /** A data set: `kind:path`, or an entry with its settings. */
  const dataSchema = z.union([z.string(), dataSpec]);
  return z
    .strictObject({
      /** Default: the file's name. */
      name: nameSchema.optional(),
      description: z.string().optional(),
      /** Target data sets by the name that tables give them. */
      data: z.record(nameSchema, dataSchema),
      models: z.array(modelSchema).min(1),
      inits: z.array(initEntrySchema).min(1).default(['ri', 'st', 'wt']),
      /** Runs with seeds 0, 1, … of each data set, model and initialisation. */
      repeats: count.optional(),
      /** The seeds themselves, instead of `repeats`. */
      seeds: z.array(z.int().min(0)).min(1).optional(),
      /** A source domain on which the study itself trains the checkpoints that all but `ri` read. */
      source: makeSourceSchema(dataSchema).optional(),
      initOptions: initOptionsSchema.prefault({}),
      /** Settings of every run. */
      training: trainingPatchSchema.prefault({}),
      /** Settings of some target runs; of several that apply, a later one wins. */
      overrides: z
        .array(
          z.strictObject({
            data: oneOrMore(nameSchema).optional(),
            model: oneOrMore(z.string()).optional(),
            init: oneOrMore(z.union([initSchema, z.literal('wt-st')])).optional(),
            training: trainingPatchSchema,
          }),
        )
        .default([]),
      splitSeed: z.int().min(0).default(0),
      /** Measures of every finished run; of CKA also WT against ST, by seed. */
      analyses: z.array(z.enum(measureNames)).default([]),
      /** Runs at once; `auto`: as many as there are cores on a CPU, one on a GPU. */
      parallel: z.union([z.literal('auto'), count]).default('auto'),
      /** Threads of each run; `auto`: the cores shared out among the runs at once. */
      threads: z.union([z.literal('auto'), count]).default('auto'),
    })
    .superRefine((study, context) => {
      const complain = (path: (string | number)[], message: string): void =>
        context.addIssue({ code: 'custom', path, message });
      const models = study.models.map((entry) => (typeof entry === 'string' ? entry : entry.model));
      study.models.forEach((entry, at) => {
        const id = models[at] ?? '';
        if (isModel(id)) return;
        context.addIssue({
          code: 'custom',
          path: typeof entry === 'string' ? ['models', at] : ['models', at, 'model'],
          message: `one of ${modelIds.join(', ')}`,
          params: { choices: modelIds },
        });
      });
      const dataNames = Object.keys(study.data);
      if (dataNames.length === 0) complain(['data'], 'at least one data set');
      if (study.repeats !== undefined && study.seeds !== undefined) {
        complain(['seeds'], 'either repeats or seeds');
      }
      duplicates(models).forEach((at) => {
        complain(['models', at], 'a model that is named once');
      });
      duplicates(study.inits.map(initName)).forEach((at) => {
        complain(['inits', at], 'an initialisation that is named once');
      });
      duplicates(study.seeds ?? []).forEach((at) => {
        complain(['seeds', at], 'a seed that is named once');
      });
      const transferred = study.inits.find((init) => init !== 'ri');
      if (transferred && !study.source) {
        study.models.forEach((entry, at) => {
          if (typeof entry === 'string' || entry.weights === undefined) {
            complain(
              ['models', at],
              `weights: a checkpoint for ${initName(transferred)}, or a source`,
            );
          }
        });
      }
      if (study.source && dataNames.includes(study.source.name)) {
        complain(['source', 'name'], `a name other than the data sets' (${dataNames.join(', ')})`);
      }
      const known = (
        axis: string,
        names: readonly string[] | undefined,
        valid: readonly string[],
        path: (string | number)[],
      ): void => {
        names?.forEach((name, at) => {
          if (valid.includes(name)) return;
          context.addIssue({
            code: 'custom',
            // A single name may stand without a list around it.
            path: names.length === 1 ? path : [...path, at],
            message: `${axis} of this study (${valid.join(', ')})`,
            params: { choices: valid },
          });
        });
      };
      study.overrides.forEach(({ data, model, init }, at) => {
        known('a data set', data, dataNames, ['overrides', at, 'data']);
        known('a model', model, models, ['overrides', at, 'model']);
        known('an initialisation', init, overridable(study.inits, init), ['overrides', at, 'init']);
      });
      study.source?.overrides.forEach(({ model }, at) => {
        known('a model', model, models, ['source', 'overrides', at, 'model']);
      });
    });
}

export type StudyFile = z.output<ReturnType<typeof makeStudySchema>>;

/** An entry as text: the same text, the same entry. */
function initName(entry: InitEntry): string {
  return typeof entry === 'string' ? entry : `wt_st: ${entry.wt_st.join(', ')}`;
}

/**
 * What overrides may name. Which WT-ST-n/m there are differs by model: where the study has any, every
 * number that is asked for may be one of them, and none and all kept are st and wt.
 */
function overridable(entries: readonly InitEntry[], asked: readonly string[] = []): string[] {
  const names = entries.filter((entry) => typeof entry === 'string');
  if (!entries.some(countsModules)) return names;
  const partial = asked.filter((name) => name.startsWith('wt-st-'));
  return [...new Set([...names, 'st', 'wt', 'wt-st', ...partial])];
}

/** Positions of values that stand earlier in the list already. */
function duplicates(values: readonly (string | number)[]): number[] {
  return values.flatMap((value, at) => (values.indexOf(value) < at ? [at] : []));
}
