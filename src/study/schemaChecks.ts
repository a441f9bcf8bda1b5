/** What a study file's parts must have to do with each other, beyond the type of each key. */
import type { z } from 'zod';
import { countsModules, type InitEntry } from './inits.ts';
import { makeStudyShape, type StudyFile, type StudyVocabulary } from './schema.ts';

type Path = (string | number)[];

/** The names that a study's selections may use. */
interface Names {
  data: string[];
  models: string[];
  sources: string[];
  seeds: number[];
  inits: readonly InitEntry[];
}

/** The schema of a study file. */
export function makeStudySchema(vocabulary: StudyVocabulary) {
  return makeStudyShape(vocabulary).superRefine((study, context) =>
    checkStudy(study, vocabulary, context),
  );
}

/** Adds an issue for everything that does not fit. */
function checkStudy(
  study: StudyFile,
  vocabulary: StudyVocabulary,
  context: z.core.$RefinementCtx,
): void {
  const check = new Checker(context);
  const models = study.models.map((entry) => (typeof entry === 'string' ? entry : entry.model));
  const sources = [study.sources ?? [], study.source ?? []].flat();
  const names: Names = {
    data: dataNames(study),
    models,
    sources: sources.map(({ name }) => name),
    seeds: study.seeds ?? Array.from({ length: study.repeats ?? DEFAULT_REPEATS }, (_, at) => at),
    inits: [study.inits, ...study.models.map(ownInits)].flat(),
  };
  checkModels(study, models, vocabulary, check);
  checkAxes(study, names, check);
  checkSources(study, names, check);
  study.overrides.forEach((override, at) => {
    check.selection({ data: override.data }, names, ['overrides', at]);
    check.known('a model', override.model, models, ['overrides', at, 'model']);
    check.known('an initialisation', override.init, overridable(names.inits, override.init), [
      'overrides',
      at,
      'init',
    ]);
    check.known('a source', override.source, names.sources, ['overrides', at, 'source']);
  });
  checkAnalyses(study, names, check);
  study.variants.forEach((variant, at) => {
    check.selection({ ...variant, inits: undefined, seeds: undefined }, names, ['variants', at]);
    checkTransfer(variant.inits ?? [], study, ['variants', at, 'inits'], check);
    if (Object.keys(variant.training).length === 0) {
      check.complain(['variants', at, 'training'], 'settings that differ from the study’s own');
    }
  });
  check.distinct(
    study.variants.map(({ name }) => name),
    'a variant that is named once',
    (at) => ['variants', at, 'name'],
  );
  const grid = study.learningRateGrid;
  if (grid) {
    check.selection({ ...grid, inits: undefined, seeds: undefined }, names, ['learningRateGrid']);
    checkTransfer(grid.inits ?? [], study, ['learningRateGrid', 'inits'], check);
    for (const key of ['learningRate', 'maxEpochs'] as const) {
      if (grid.training[key] === undefined) continue;
      check.complain(
        ['learningRateGrid', 'training', key],
        `none: the grid’s own ${key === 'maxEpochs' ? 'epochs' : 'min and max'} say it`,
      );
    }
  }
  const hasOthers = study.variants.length > 0 || grid !== undefined;
  if (names.seeds.length === 0 && !hasOthers) {
    check.complain(
      [study.seeds ? 'seeds' : 'repeats'],
      'at least 1 where there are no variants and no learningRateGrid',
    );
  }
}

export const DEFAULT_REPEATS = 5;

/** Every data set, and the parts that lists of sizes make of it. */
function dataNames(study: StudyFile): string[] {
  return Object.entries(study.data).flatMap(([name, entry]) => {
    if (typeof entry === 'string') return [name];
    const sizes = [entry.nTrain, entry.n_train, entry.fraction].filter(Array.isArray).flat();
    return [name, ...sizes.map((size) => `${name}@${size}`)];
  });
}

function checkModels(
  { models: entries }: StudyFile,
  models: readonly string[],
  { isModel, modelIds }: StudyVocabulary,
  check: Checker,
): void {
  entries.forEach((entry, at) => {
    if (isModel(models[at] ?? '')) return;
    check.complain(
      typeof entry === 'string' ? ['models', at] : ['models', at, 'model'],
      `one of ${modelIds.join(', ')}`,
      modelIds,
    );
  });
  check.distinct(models, 'a model that is named once', (at) => ['models', at]);
}

function checkAxes(study: StudyFile, names: Names, check: Checker): void {
  if (Object.keys(study.data).length === 0) check.complain(['data'], 'at least one data set');
  for (const [name, entry] of Object.entries(study.data)) {
    if (typeof entry === 'string') continue;
    for (const key of ['nTrain', 'n_train', 'fraction'] as const) {
      const sizes = entry[key];
      if (!Array.isArray(sizes)) continue;
      check.distinct(sizes, 'a size that is named once', (at) => ['data', name, key, at]);
    }
    const given = (['nTrain', 'n_train', 'fraction'] as const).filter(
      (key) => entry[key] !== undefined,
    );
    if (given[1]) check.complain(['data', name, given[1]], 'fraction or nTrain, not both');
  }
  if (study.repeats !== undefined && study.seeds !== undefined) {
    check.complain(['seeds'], 'either repeats or seeds');
  }
  const listed: [Path, readonly InitEntry[]][] = [
    [['inits'], study.inits],
    ...study.models.map((entry, at): [Path, InitEntry[]] => [
      ['models', at, 'inits'],
      ownInits(entry),
    ]),
  ];
  for (const [path, inits] of listed) {
    check.distinct(inits.map(initName), 'an initialisation that is named once', (at) => [
      ...path,
      at,
    ]);
  }
  check.distinct(names.seeds, 'a seed that is named once', (at) => ['seeds', at]);
  checkTransfer(names.inits, study, ['inits'], check);
}

/** The initialisations that a model has instead of the study's. */
function ownInits(entry: StudyFile['models'][number]): InitEntry[] {
  return typeof entry === 'string' ? [] : (entry.inits ?? []);
}

/** Every model has a checkpoint to read, where one of the initialisations reads any. */
function checkTransfer(
  inits: readonly InitEntry[],
  study: StudyFile,
  path: Path,
  check: Checker,
): void {
  const transferred = inits.find((init) => init !== 'ri');
  if (!transferred || study.source || study.sources) return;
  study.models.forEach((entry, at) => {
    if (typeof entry !== 'string' && entry.weights !== undefined) return;
    check.complain(
      path[0] === 'inits' ? ['models', at] : path,
      `weights: a checkpoint for ${initName(transferred)}, or a source`,
    );
  });
}

function checkSources(study: StudyFile, names: Names, check: Checker): void {
  if (study.source && study.sources) check.complain(['sources'], 'either source or sources');
  const several = (study.sources?.length ?? 0) > 1;
  const entries = study.sources ?? (study.source ? [study.source] : []);
  const pathOf = (at: number): Path => (study.sources ? ['sources', at] : ['source']);
  check.distinct(names.sources, 'a source that is named once', (at) => [...pathOf(at), 'name']);
  entries.forEach((source, at) => {
    const path = pathOf(at);
    const targets = Object.keys(study.data);
    if (targets.includes(source.name)) {
      check.complain([...path, 'name'], `a name other than the data sets' (${targets.join(', ')})`);
    }
    if (source.data === undefined && source.weights === undefined) {
      check.complain(path, 'data to train on, or weights');
    }
    source.overrides.forEach(({ model }, place) => {
      check.known('a model', model, names.models, [...path, 'overrides', place, 'model']);
    });
    const { weights } = source;
    if (typeof weights !== 'object') return;
    for (const model of Object.keys(weights)) {
      check.known('a model', [model], names.models, [...path, 'weights', model]);
    }
    const own = study.models.flatMap((entry) =>
      typeof entry !== 'string' && entry.weights !== undefined ? [entry.model] : [],
    );
    const missing = names.models.filter(
      (model) => weights[model] === undefined && !own.includes(model),
    );
    if (source.data === undefined && missing.length > 0) {
      check.complain([...path, 'weights'], `a checkpoint of ${missing.join(', ')} too, or data`);
    }
  });
  if (!several) return;
  study.models.forEach((entry, at) => {
    if (typeof entry === 'string' || entry.weights === undefined) return;
    check.complain(['models', at, 'weights'], 'no weights beside several sources: name them there');
  });
}

function checkAnalyses(study: StudyFile, names: Names, check: Checker): void {
  const measures = study.analyses.map((entry) =>
    typeof entry === 'string' ? entry : (Object.keys(entry)[0] ?? ''),
  );
  check.distinct(measures, 'a measure that is named once', (at) => ['analyses', at]);
  study.analyses.forEach((entry, at) => {
    if (typeof entry === 'string') return;
    for (const [measure, options] of Object.entries(entry)) {
      if (options) check.selection(options, names, ['analyses', at, measure]);
    }
    if (!entry.fid || entry.fid.source !== undefined) return;
    const withData = [study.sources ?? [], study.source ?? []].flat().filter(({ data }) => data);
    if (withData.length > 0) return;
    check.complain(
      ['analyses', at, 'fid'],
      'source: a data set or an .npz file, where the study has no source with data',
    );
  });
}

interface Selection {
  data?: readonly string[];
  models?: readonly string[];
  inits?: readonly string[];
  seeds?: readonly number[];
}

/** Adds issues that name the path, what was expected, and the valid names. */
class Checker {
  readonly #context: z.core.$RefinementCtx;

  constructor(context: z.core.$RefinementCtx) {
    this.#context = context;
  }

  complain(path: Path, message: string, choices?: readonly (string | number)[]): void {
    this.#context.addIssue({
      code: 'custom',
      path,
      message,
      ...(choices ? { params: { choices } } : {}),
    });
  }

  /** Every value once. */
  distinct(
    values: readonly (string | number)[],
    message: string,
    pathOf: (at: number) => Path,
  ): void {
    values.forEach((value, at) => {
      if (values.indexOf(value) < at) this.complain(pathOf(at), message);
    });
  }

  /** @param path of the list; a single name may stand without a list around it */
  known(
    axis: string,
    asked: readonly (string | number)[] | undefined,
    valid: readonly (string | number)[],
    path: Path,
  ): void {
    asked?.forEach((name, at) => {
      if (valid.includes(name)) return;
      const listed = valid.length > 0 ? valid.join(', ') : 'it has none';
      this.complain(
        asked.length === 1 ? path : [...path, at],
        `${axis} of this study (${listed})`,
        valid,
      );
    });
  }

  /** Names of data sets, models, initialisations and seeds that select some of the study's runs. */
  selection({ data, models, inits, seeds }: Selection, names: Names, path: Path): void {
    this.known('a data set', data, names.data, [...path, 'data']);
    this.known('a model', models, names.models, [...path, 'models']);
    this.known('an initialisation', inits, overridable(names.inits, inits), [...path, 'inits']);
    this.known('a seed', seeds, names.seeds, [...path, 'seeds']);
  }
}

/** An entry as text: the same text, the same entry. */
function initName(entry: InitEntry): string {
  return typeof entry === 'string' ? entry : `wt_st: ${entry.wt_st.join(', ')}`;
}

/**
 * What selections may name. Which WT-ST-n/m there are differs by model: where the study has any, every
 * number that is asked for may be one of them, and none and all kept are st and wt.
 */
function overridable(entries: readonly InitEntry[], asked: readonly string[] = []): string[] {
  const names = entries.filter((entry) => typeof entry === 'string');
  if (!entries.some(countsModules)) return names;
  const partial = asked.filter((name) => name.startsWith('wt-st-'));
  return [...new Set([...names, 'st', 'wt', 'wt-st', ...partial])];
}
