/** From the study file to a study: checked, with absolute paths and the names of everything. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { DataAxisSpec, DataSpec } from '../data/index.ts';
import {
  type KeyPath,
  type MeasureName,
  measureSettings,
  validateYaml,
  yamlPlaces,
} from '../results/index.ts';
import { CarryoverError, RequestError, readFault } from '../util/index.ts';
import { axisOf, type NamedData, partsOf } from './dataAxis.ts';
import { countsModules, expandInits, type InitEntry } from './inits.ts';
import type { StudyFile } from './schema.ts';
import { DEFAULT_REPEATS, makeStudySchema } from './schemaChecks.ts';
import type { AnalysisRequest, FidRequest, Study, StudySource } from './study.ts';

/** What a study without a name is called: its file's name. */
export function defaultName(path: string): string {
  return basename(path).replace(/\.ya?ml$/i, '');
}

/** The schema of study files, with the names of models and the keys of data sets. Loads LibTorch. */
export async function loadStudySchema(): Promise<ReturnType<typeof makeStudySchema>> {
  const [{ augmentSchema, dataAxisSchema, dataSpecSchema }, { describeModel, modelIds }] =
    await Promise.all([import('../data/index.ts'), import('../models/index.ts')]);
  return makeStudySchema({
    dataSpec: dataSpecSchema,
    dataAxis: dataAxisSchema,
    augment: augmentSchema,
    modelIds: modelIds(),
    isModel: (id) => succeeds(() => describeModel(id)),
  });
}

/**
 * Reads and checks a study file.
 * @throws RequestError for a file that is not there, YAML that cannot be parsed, and the first key at
 * fault, with its line and the nearest known names.
 */
export async function readStudy(path: string): Promise<Study> {
  const file = resolve(path);
  const text = await readText(path, file);
  const [schema, { parseDataSpec }, { resolveWeights }] = await Promise.all([
    loadStudySchema(),
    import('../data/index.ts'),
    import('../weights/index.ts'),
  ]);
  const parsed = validateYaml(schema, text, path);
  const base = dirname(file);
  const placeOf = yamlPlaces(text, path);
  const specOf = (entry: string | DataSpec, key: KeyPath): DataSpec =>
    parseDataSpec(entry, { where: placeOf(key), base });
  const weightsOf = (given: string, model: string): string =>
    resolveWeights(given, model, (relative) => resolve(base, relative));
  const models = parsed.models.map((entry) =>
    typeof entry === 'string'
      ? { model: entry }
      : {
          model: entry.model,
          ...(entry.weights === undefined
            ? {}
            : { weights: weightsOf(entry.weights, entry.model) }),
          ...(entry.inits ? { inits: entry.inits } : {}),
        },
  );
  const ids = models.map(({ model }) => model);
  const modules = await countModulesOf(ids, parsed);
  requireModules(ids, parsed, modules, placeOf(['inits']));
  const families = Object.entries(parsed.data).map(([name, entry]) => ({
    name,
    ...readFamily(name, entry, (part) => specOf(part, ['data', name])),
  }));
  return {
    file,
    name: parsed.name ?? defaultName(file),
    description: parsed.description,
    data: families.flatMap(({ parts }) => parts),
    dataEntries: Object.fromEntries(families.map(({ name, entry }) => [name, entry])),
    models,
    inits: parsed.inits,
    ...(modules ? { modules } : {}),
    seeds:
      parsed.seeds ?? Array.from({ length: parsed.repeats ?? DEFAULT_REPEATS }, (_, seed) => seed),
    sources: sourcesOf(parsed, ids, specOf, weightsOf),
    initOptions: parsed.initOptions,
    training: parsed.training,
    overrides: parsed.overrides,
    splitSeed: parsed.splitSeed,
    analyses: parsed.analyses.flatMap(analysisOf),
    fid: fidOf(parsed, specOf, weightsOf, base),
    variants: parsed.variants,
    learningRateGrid: parsed.learningRateGrid,
    parallel: parsed.parallel,
    threads: parsed.threads,
    executor: parsed.executor,
  };
}

/** A data set of the file, and those that it stands for. */
function readFamily(
  name: string,
  entry: string | DataAxisSpec,
  specOf: (entry: string | DataSpec) => DataSpec,
): { parts: NamedData[]; entry: Record<string, unknown> } {
  if (typeof entry === 'string') {
    const spec = specOf(entry);
    return { parts: [{ name, spec }], entry: spec };
  }
  const { whole, axis } = axisOf(entry);
  const spec = specOf(whole);
  return { parts: partsOf(name, spec, axis), entry: { ...spec, ...axis } };
}

function sourcesOf(
  { source, sources, models }: StudyFile,
  ids: readonly string[],
  specOf: (entry: string | DataSpec, key: KeyPath) => DataSpec,
  weightsOf: (given: string, model: string) => string,
): StudySource[] {
  const entries = sources ?? (source ? [source] : []);
  const own = new Set(
    models.flatMap((entry) =>
      typeof entry !== 'string' && entry.weights !== undefined ? [entry.model] : [],
    ),
  );
  return entries.map(({ data, weights, ...settings }, at) => ({
    ...settings,
    ...(data === undefined
      ? {}
      : { spec: specOf(data, sources ? ['sources', at, 'data'] : ['source', 'data']) }),
    weights: Object.fromEntries(
      ids.flatMap((model) => {
        const given = typeof weights === 'object' ? weights[model] : weights;
        return given === undefined || own.has(model) ? [] : [[model, weightsOf(given, model)]];
      }),
    ),
  }));
}

function analysisOf(entry: StudyFile['analyses'][number]): AnalysisRequest[] {
  if (typeof entry === 'string') return [{ measure: entry, options: measureSettings(entry) }];
  const { fid: _, ...measures } = entry;
  return (Object.keys(measures) as MeasureName[]).flatMap((measure) => {
    const given = measures[measure];
    if (!given) return [];
    const { data, models, inits, seeds, ...options } = given;
    return [
      {
        measure,
        options: measureSettings(measure, options),
        ...(data ? { data } : {}),
        ...(models ? { models } : {}),
        ...(inits ? { inits } : {}),
        ...(seeds ? { seeds } : {}),
      },
    ];
  });
}

function fidOf(
  { analyses }: StudyFile,
  specOf: (entry: string | DataSpec, key: KeyPath) => DataSpec,
  weightsOf: (given: string, model: string) => string,
  base: string,
): FidRequest | undefined {
  const at = analyses.findIndex((entry) => typeof entry === 'object' && entry.fid);
  const entry = analyses[at];
  if (typeof entry !== 'object' || !entry.fid) return undefined;
  const { extractor, weights, source, data } = entry.fid;
  const statistics = typeof source === 'string' && /\.npz$/i.test(source) && !source.includes(':');
  return {
    extractor,
    weights: weightsOf(weights, 'inception_v3'),
    ...(source === undefined
      ? {}
      : {
          source: statistics
            ? { statistics: resolve(base, source) }
            : { spec: specOf(source, ['analyses', at, 'fid', 'source']) },
        }),
    ...(data ? { data } : {}),
  };
}

/** All lists of initialisations of a study. */
function initLists({ inits, variants, learningRateGrid }: StudyFile): InitEntry[][] {
  const others = [...variants, ...(learningRateGrid ? [learningRateGrid] : [])];
  return [inits, ...others.flatMap((entry) => (entry.inits ? [entry.inits] : []))];
}

/** The lists of initialisations that a model may be trained from. */
function listsOf(model: StudyFile['models'][number], study: StudyFile): InitEntry[][] {
  const [inits = [], ...others] = initLists(study);
  const own = typeof model === 'string' ? undefined : model.inits;
  return [own ?? inits, ...others];
}

/** How many modules each model has; `undefined` where no entry counts them. */
async function countModulesOf(
  models: readonly string[],
  study: StudyFile,
): Promise<Map<string, number> | undefined> {
  const lists = study.models.flatMap((model) => listsOf(model, study));
  if (!lists.flat().some(countsModules)) return undefined;
  const { countModules } = await import('../transfer/index.ts');
  return new Map(models.map((model) => [model, countModules(model)]));
}

/** @throws RequestError for an initialisation of more modules than a model has. */
function requireModules(
  models: readonly string[],
  study: StudyFile,
  modules: ReadonlyMap<string, number> | undefined,
  where: string,
): void {
  study.models.forEach((entry, at) => {
    const model = models[at] ?? '';
    for (const inits of listsOf(entry, study)) {
      expandInits(inits, { model, modules: modules?.get(model), where });
    }
  });
}

async function readText(path: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new RequestError(
      {
        where: path,
        expected: 'a study file',
        got: readFault(error),
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
