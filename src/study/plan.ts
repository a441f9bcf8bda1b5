/** From a study to its runs: what each is, its id, and what it waits for. */
import { join } from 'node:path';
import {
  type Init,
  initTitle,
  type RunConfig,
  runIdentity,
  type TrainingSettings,
} from '../results/index.ts';
import { RequestError } from '../util/index.ts';
import type { NamedData } from './dataAxis.ts';
import { expandInits, type InitEntry } from './inits.ts';
import { modelLabel, type PlannedRun, studyPaths } from './run.ts';
import {
  gridRates,
  type Selection,
  type Setting,
  type Study,
  type StudySource,
  sourceTraining,
  type TrainingPatch,
  targetTraining,
} from './study.ts';

/** What a plan needs to know of a data set. */
export interface DataFacts {
  /** Hash of its contents. */
  identity: string;
  /** Hash of which sample is in which split. */
  splits: string;
  samples: number;
  /** Samples of each split. */
  counts?: { train: number; val: number; test: number };
}

export interface PlanFacts {
  /** Of every data set by its name in the study, the sources among them. */
  data: ReadonlyMap<string, DataFacts>;
  /** SHA-256 of the checkpoint of every model that has one; of a source's, by {@link weightsKey}. */
  weights: ReadonlyMap<string, string>;
  cores: number;
  /** Whether a run with `device: auto` computes on a GPU. */
  hasGpu: boolean;
  /** GPUs that runs can be given out to; 1 unless said. */
  gpus?: number;
  /** Runs at once of a model on the CPU, where that was measured. */
  parallelOf?: ReadonlyMap<string, number>;
}

/** What a source's checkpoint of a model goes by. */
export const weightsKey = (source: string, model: string): string => `${source}/${model}`;

export interface Plan {
  name: string;
  /** Absolute path of the study's folder. */
  folder: string;
  /** Absolute path of the study file. */
  file: string;
  /** The axes as tables show them. */
  data: string[];
  /** Models; with several sources, each with each source (`resnet50 from natural`). */
  models: string[];
  inits: string[];
  /** Of every model, those of `inits` that it has: how many WT-ST-n/m there are differs. */
  initsOf?: Record<string, string[]>;
  /** Names of the sources, where there are several. */
  sources?: string[];
  /** Of data sets that are a smaller part of another, the name of that one (`isic2019@500`: `isic2019`). */
  partOf?: Record<string, string>;
  seeds: number[];
  /** Source runs first; then seed by seed, so that a first look at all settings comes early. */
  runs: PlannedRun[];
}

interface Shares {
  parallel: number;
  threads: number;
}

/**
 * Runs at once and threads of each. `auto` on a CPU: as many runs at once as there are cores (or as were
 * measured to be best for the model), each with its share of them; on GPUs one run each. It depends on the study and the machine alone, not
 * on what is done already, so that a run that goes on has the threads that it began with.
 */
export function shareMachine(
  runs: number,
  study: Pick<Study, 'parallel' | 'threads'>,
  {
    cores,
    usesGpu,
    gpus = 1,
    atOnce = cores,
  }: { cores: number; usesGpu: boolean; gpus?: number; atOnce?: number },
): Shares {
  const automatic = Math.max(1, Math.min(runs, usesGpu ? gpus : atOnce));
  const parallel = study.parallel === 'auto' ? automatic : study.parallel;
  const threads =
    study.threads === 'auto' ? Math.max(1, Math.floor(cores / parallel)) : study.threads;
  return { parallel, threads };
}

/** Where the weights of a run come from: a file, or a source run; of random weights neither. */
interface Origin {
  source?: StudySource;
  teacher?: PlannedRun;
  file?: string;
  hash?: string;
}

/** A target run before it has an id: everything but what the machine adds. */
interface Wanted extends Setting {
  role: Exclude<PlannedRun['role'], 'source'>;
  named: NamedData;
  title: string;
  seed: number;
  origin: Origin;
  training: TrainingSettings;
  variant?: string;
}

/**
 * All runs of a study. Pure: the same study and facts give the same plan.
 * @param folder absolute path of the study's folder
 */
export function planRuns(study: Study, folder: string, facts: PlanFacts): Plan {
  return new Planner(study, folder, facts).plan();
}

class Planner {
  readonly #study: Study;
  readonly #folder: string;
  readonly #facts: PlanFacts;
  readonly #several: boolean;
  /** Checked settings by what they depend on; a study has many more runs than settings. */
  readonly #trainings = new Map<string, TrainingSettings>();

  constructor(study: Study, folder: string, facts: PlanFacts) {
    this.#study = study;
    this.#folder = folder;
    this.#facts = facts;
    this.#several = study.sources.length > 1;
  }

  plan(): Plan {
    const study = this.#study;
    const sources = this.#sourceRuns();
    const origins = new Map(
      study.models.map((entry) => [entry.model, this.#originsOf(entry, sources)]),
    );
    const wanted = this.#wanted(origins);
    const runs = [...sources.values(), ...wanted.map((one) => this.#runOf(one, wanted.length))];
    refuseTwins(study, runs);
    const initsOf = this.#initsOf();
    const parts = study.data.flatMap(({ name, partOf }) => (partOf ? [[name, partOf]] : []));
    return {
      name: study.name,
      folder: this.#folder,
      file: study.file,
      data: study.data.map(({ name }) => name),
      models: Object.keys(initsOf),
      inits: [...new Set(Object.values(initsOf).flat())],
      initsOf,
      ...(this.#several ? { sources: study.sources.map(({ name }) => name) } : {}),
      ...(parts.length > 0 ? { partOf: Object.fromEntries(parts) } : {}),
      seeds: study.seeds,
      runs,
    };
  }

  /** The initialisations of every model as tables call both. */
  #initsOf(): Record<string, string[]> {
    const { sources, models, inits } = this.#study;
    const names = this.#several ? sources.map(({ name }) => name) : [undefined];
    return Object.fromEntries(
      models.flatMap(({ model, inits: own }) =>
        names.map((name) => [
          modelLabel(model, name),
          this.#expand(own ?? inits, model).map(({ title }) => title),
        ]),
      ),
    );
  }

  #expand(entries: readonly InitEntry[], model: string): { init: Init; title: string }[] {
    const modules = this.#study.modules?.get(model);
    return expandInits(entries, { model, modules, where: `${this.#study.file}: inits` }).map(
      (init) => ({ init, title: initTitle(init, modules) }),
    );
  }

  /** A run for every source and model whose checkpoint some target run reads, by {@link weightsKey}. */
  #sourceRuns(): Map<string, PlannedRun> {
    const study = this.#study;
    const others = otherInits(study).flat();
    const transfers = (own: readonly InitEntry[] | undefined): boolean =>
      [...(own ?? study.inits), ...others].some((init) => init !== 'ri');
    const taught = study.sources.flatMap((source) =>
      study.models
        .filter(({ model, weights, inits }) => {
          const hasFile = weights !== undefined || source.weights[model] !== undefined;
          return !hasFile && transfers(inits);
        })
        .map(({ model }) => ({ source, model })),
    );
    const paths = studyPaths(this.#folder);
    return new Map(
      taught.map(({ source, model }) => {
        if (!source.spec) throw new Error(`source ${source.name} has no data`);
        const training = sourceTraining(study, model, source);
        const shares = this.#shares(taught.length, model, training);
        const config: RunConfig = {
          data: source.spec,
          splitsFile: paths.splits(source.name),
          splitSeed: source.splitSeed,
          model,
          init: 'ri',
          initOptions: study.initOptions,
          seed: source.seed,
          training: { ...training, threads: shares.threads },
        };
        const { identity, splits, samples } = this.#factsOf(source.name);
        const run: PlannedRun = {
          id: runIdentity({ config, data: identity, splits }),
          role: 'source',
          data: source.name,
          samples,
          model,
          init: 'ri',
          seed: source.seed,
          config,
          parallel: shares.parallel,
        };
        return [weightsKey(source.name, model), run];
      }),
    );
  }

  /** Where a model's weights may come from; empty in a study of random weights alone. */
  #originsOf(
    { model, weights }: Study['models'][number],
    runs: ReadonlyMap<string, PlannedRun>,
  ): Origin[] {
    const { sources } = this.#study;
    if (weights !== undefined) {
      return [{ source: sources[0], file: weights, hash: this.#facts.weights.get(model) }];
    }
    return sources.map((source) => {
      const key = weightsKey(source.name, model);
      const file = source.weights[model];
      if (file !== undefined) return { source, file, hash: this.#facts.weights.get(key) };
      return { source, teacher: runs.get(key) };
    });
  }

  #wanted(origins: ReadonlyMap<string, Origin[]>): Wanted[] {
    const { seeds, variants, learningRateGrid: grid } = this.#study;
    const targets = this.#block(origins, { role: 'target', seeds });
    const varied = variants.flatMap((variant) =>
      this.#block(origins, {
        role: 'variant',
        ...variant,
        variant: variant.name,
        seeds: variant.seeds ?? (seeds.length > 0 ? seeds : [0]),
      }),
    );
    if (!grid) return [...targets, ...varied];
    const rates = gridRates(grid).flatMap((learningRate) =>
      this.#block(origins, {
        role: 'grid',
        data: grid.data,
        models: grid.models,
        inits: grid.inits,
        only: grid.inits ? undefined : ['ri', 'st', 'wt'],
        seeds: grid.seeds,
        training: { ...grid.training, learningRate, maxEpochs: grid.epochs },
      }),
    );
    return [...targets, ...varied, ...rates];
  }

  /** Seed by seed, the runs of all settings that are selected. */
  #block(
    origins: ReadonlyMap<string, Origin[]>,
    {
      role,
      data,
      models,
      inits,
      only,
      seeds,
      variant,
      training = {},
    }: Omit<Selection, 'inits'> & {
      role: Wanted['role'];
      /** In place of the model's or the study's own. */
      inits?: readonly InitEntry[];
      /** Of these, only some. */
      only?: readonly Init[];
      seeds: readonly number[];
      variant?: string;
      training?: TrainingPatch;
    },
  ): Wanted[] {
    const study = this.#study;
    const chosenData = study.data.filter(
      ({ name, partOf }) => data?.some((asked) => asked === name || asked === partOf) ?? true,
    );
    const chosenModels = study.models.filter(({ model }) => models?.includes(model) ?? true);
    const settings = chosenData.flatMap((named) =>
      chosenModels.flatMap(({ model, inits: own = study.inits }) => {
        const expanded = this.#expand(inits ?? own, model).filter(
          ({ init }) => only?.includes(init) ?? true,
        );
        return expanded.flatMap(({ init, title }) => {
          const from = init === 'ri' ? [{}] : (origins.get(model) ?? []);
          return from.map((origin: Origin) => {
            const setting: Setting = {
              data: named.name,
              partOf: named.partOf,
              model,
              init,
              source: origin.source?.name,
            };
            const settled = this.#training(setting, training);
            return { ...setting, role, named, title, origin, training: settled, variant };
          });
        });
      }),
    );
    return seeds.flatMap((seed) => settings.map((setting) => ({ ...setting, seed })));
  }

  #training(setting: Setting, more: TrainingPatch): TrainingSettings {
    const key = JSON.stringify([setting, more]);
    const known = this.#trainings.get(key) ?? targetTraining(this.#study, setting, more);
    this.#trainings.set(key, known);
    return known;
  }

  #runOf(wanted: Wanted, count: number): PlannedRun {
    const study = this.#study;
    const paths = studyPaths(this.#folder);
    const { role, named, model, init, title, seed, origin, training, variant } = wanted;
    const shares = this.#shares(count, model, training);
    const { teacher } = origin;
    const weights = teacher ? join(paths.run(teacher.id), 'best.safetensors') : origin.file;
    const config: RunConfig = {
      data: named.spec,
      splitsFile: paths.splits(named.name),
      splitSeed: study.splitSeed,
      model,
      init,
      initOptions: study.initOptions,
      ...(weights === undefined ? {} : { weights }),
      seed,
      training: { ...training, threads: shares.threads },
    };
    const { identity, splits, samples } = this.#factsOf(named.name);
    return {
      id: runIdentity({ config, data: identity, splits, weights: teacher?.id ?? origin.hash }),
      role,
      data: named.name,
      samples,
      model,
      init: title,
      seed,
      ...(this.#several && origin.source ? { from: origin.source.name } : {}),
      ...(variant === undefined ? {} : { variant }),
      ...(teacher ? { source: teacher.id } : {}),
      config,
      parallel: shares.parallel,
    };
  }

  #factsOf(name: string): DataFacts {
    const found = this.#facts.data.get(name);
    if (!found) throw new Error(`no facts about data set ${name}`);
    return found;
  }

  #shares(runs: number, model: string, { device }: TrainingSettings): Shares {
    const { cores, hasGpu, gpus, parallelOf } = this.#facts;
    const usesGpu = device === 'auto' ? hasGpu : device !== 'cpu';
    return shareMachine(runs, this.#study, {
      cores,
      usesGpu,
      gpus,
      atOnce: parallelOf?.get(model),
    });
  }
}

/** Lists of initialisations beside the study's own. */
function otherInits({ variants, learningRateGrid }: Study): InitEntry[][] {
  const others = [...variants, ...(learningRateGrid ? [learningRateGrid] : [])];
  return others.flatMap(({ inits }) => (inits ? [inits] : []));
}

/** Refuses two runs that are the same under different names. */
function refuseTwins(study: Study, runs: readonly PlannedRun[]): void {
  const seen = new Map<string, PlannedRun>();
  for (const run of runs) {
    const twin = seen.get(run.id);
    if (twin) throw twinError(study, twin, run);
    seen.set(run.id, run);
  }
}

function twinError({ file }: Study, twin: PlannedRun, run: PlannedRun): RequestError {
  if (twin.data !== run.data) {
    return new RequestError({
      where: `${file}: data`,
      expected: 'data sets that differ in images, labels or splits',
      got: `${twin.data} and ${run.data}, which are the same`,
      hint: 'name each data set once',
    });
  }
  if (twin.from !== run.from) {
    return new RequestError({
      where: `${file}: sources`,
      expected: 'sources that differ',
      got: `${twin.from} and ${run.from}, which give ${run.model} the same weights`,
      hint: 'name each source once',
    });
  }
  return new RequestError({
    where: `${file}: ${run.role === 'grid' ? 'learningRateGrid' : 'variants'}`,
    expected: 'training settings that the study’s other runs do not have',
    got: `${run.variant ?? 'a learning rate'} and ${twin.variant ?? 'the study’s own'}, which are the same for ${run.data} ${run.model} ${run.init}`,
    hint: 'change a setting that determines a result, or leave those runs out',
  });
}
