/** From the study file to a study: checked, with absolute paths and the names of everything. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { DataSpec } from '../data/index.ts';
import {
  type MeasureName,
  type RunConfig,
  type TrainingSettings,
  trainingSchema,
  validateYaml,
} from '../results/index.ts';
import { CarryoverError, RequestError } from '../util/index.ts';
import { countsModules, expandInits, type InitEntry, matchesInit } from './inits.ts';
import { makeStudySchema, type StudyFile } from './schema.ts';

type Init = RunConfig['init'];
/** Some training settings, checked, without defaults. */
type TrainingPatch = StudyFile['training'];

/** A data set of a study. */
export interface NamedData {
  name: string;
  /** With absolute paths. */
  spec: DataSpec;
}

export interface Study {
  /** Absolute path of the study file. */
  file: string;
  name: string;
  description?: string;
  data: NamedData[];
  /** `weights`: absolute path of the model's checkpoint; without it, the source makes one. */
  models: { model: string; weights?: string }[];
  inits: InitEntry[];
  /** The modules of every model, where `inits` count them. */
  modules?: ReadonlyMap<string, number>;
  seeds: number[];
  source?: NamedData & {
    seed: number;
    splitSeed: number;
    train: TrainingPatch;
    overrides: { model: string[]; training: TrainingPatch }[];
  };
  initOptions: RunConfig['initOptions'];
  training: TrainingPatch;
  overrides: StudyFile['overrides'];
  splitSeed: number;
  /** Measures of every finished run. */
  analyses: MeasureName[];
  parallel: number | 'auto';
  threads: number | 'auto';
}

const DEFAULT_REPEATS = 5;

/** What a study without a name is called: its file's name. */
export function defaultName(path: string): string {
  return basename(path).replace(/\.ya?ml$/i, '');
}

/**
 * Reads and checks a study file.
 * @throws RequestError for a file that is not there, YAML that cannot be parsed, and the first key at
 * fault, with its line and the nearest known names.
 */
export async function readStudy(path: string): Promise<Study> {
  const file = resolve(path);
  const text = await readText(path, file);
  // These load LibTorch, which nothing else here needs.
  const [{ dataSpecSchema, parseDataSpec }, { describeModel, modelIds }, { resolveWeights }] =
    await Promise.all([
      import('../data/index.ts'),
      import('../models/index.ts'),
      import('../weights/index.ts'),
    ]);
  const schema = makeStudySchema({
    dataSpec: dataSpecSchema,
    modelIds: modelIds(),
    isModel: (id) => succeeds(() => describeModel(id)),
  });
  const parsed = validateYaml(schema, text, path);
  const base = dirname(file);
  const dataOf = (name: string, entry: string | DataSpec, key: string): NamedData => ({
    name,
    spec: parseDataSpec(entry, { where: `${path}: ${key}`, base }),
  });
  const { source } = parsed;
  const models = parsed.models.map((entry) => (typeof entry === 'string' ? entry : entry.model));
  const modules = await countModulesOf(models, parsed.inits);
  for (const model of models) {
    expandInits(parsed.inits, { model, modules: modules?.get(model), where: `${path}: inits` });
  }
  return {
    file,
    name: parsed.name ?? defaultName(file),
    description: parsed.description,
    data: Object.entries(parsed.data).map(([name, entry]) => dataOf(name, entry, `data.${name}`)),
    models: parsed.models.map((entry) =>
      typeof entry === 'string'
        ? { model: entry }
        : {
            model: entry.model,
            ...(entry.weights === undefined
              ? {}
              : {
                  weights: resolveWeights(entry.weights, entry.model, (path) =>
                    resolve(base, path),
                  ),
                }),
          },
    ),
    inits: parsed.inits,
    ...(modules ? { modules } : {}),
    seeds:
      parsed.seeds ?? Array.from({ length: parsed.repeats ?? DEFAULT_REPEATS }, (_, seed) => seed),
    ...(source
      ? {
          source: {
            ...dataOf(source.name, source.data, 'source.data'),
            seed: source.seed,
            splitSeed: source.splitSeed,
            train: source.train,
            overrides: source.overrides,
          },
        }
      : {}),
    initOptions: parsed.initOptions,
    training: parsed.training,
    overrides: parsed.overrides,
    splitSeed: parsed.splitSeed,
    analyses: [...new Set(parsed.analyses)],
    parallel: parsed.parallel,
    threads: parsed.threads,
  };
}

/** How many modules each model has; `undefined` where no entry counts them. */
async function countModulesOf(
  models: readonly string[],
  inits: readonly InitEntry[],
): Promise<Map<string, number> | undefined> {
  if (!inits.some(countsModules)) return undefined;
  const { countModules } = await import('../transfer/index.ts');
  return new Map(models.map((model) => [model, countModules(model)]));
}

async function readText(path: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new RequestError(
      {
        where: path,
        expected: 'a study file',
        got: code === 'ENOENT' ? 'no such file' : code,
        hint: 'see studies/ for examples',
      },
      { cause: error },
    );
  }
}

function succeeds(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof CarryoverError) return false;
    throw error;
  }
}

/** The training settings of the source run of a model: the study's, then the source's own. */
export function sourceTraining(study: Study, model: string): TrainingSettings {
  const patches = (study.source?.overrides ?? [])
    .filter((override) => override.model.includes(model))
    .map(({ training }) => training);
  return trainingSchema.parse(Object.assign({}, study.training, study.source?.train, ...patches));
}

/** The training settings of target runs: the study's, then every override that applies, in order. */
export function targetTraining(
  study: Study,
  { data, model, init }: { data: string; model: string; init: Init },
): TrainingSettings {
  const patches = study.overrides
    .filter(
      (override) =>
        (override.data?.includes(data) ?? true) &&
        (override.model?.includes(model) ?? true) &&
        (override.init?.some((wanted) => matchesInit(wanted, init)) ?? true),
    )
    .map(({ training }) => training);
  return trainingSchema.parse(Object.assign({}, study.training, ...patches));
}

/** The study as a study file that says everything: every default written out, every path absolute. */
export function describeStudy(study: Study): Record<string, unknown> {
  const { threads: _, ...defaults } = trainingSchema.parse(study.training);
  const { source } = study;
  return {
    name: study.name,
    ...(study.description === undefined ? {} : { description: study.description }),
    data: Object.fromEntries(study.data.map(({ name, spec }) => [name, spec])),
    models: study.models,
    inits: study.inits,
    seeds: study.seeds,
    ...(source
      ? {
          source: {
            name: source.name,
            data: source.spec,
            train: source.train,
            overrides: source.overrides,
            seed: source.seed,
            splitSeed: source.splitSeed,
          },
        }
      : {}),
    initOptions: study.initOptions,
    training: defaults,
    overrides: study.overrides,
    splitSeed: study.splitSeed,
    ...(study.analyses.length > 0 ? { analyses: study.analyses } : {}),
    parallel: study.parallel,
    threads: study.threads,
  };
}
