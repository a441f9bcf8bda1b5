/** From a study to its runs: what each is, its id, and what it waits for. */
import { join } from 'node:path';
import { initTitle, type RunConfig, runIdentity, type TrainingSettings } from '../results/index.ts';
import { RequestError } from '../util/index.ts';
import { expandInits } from './inits.ts';
import { type Study, sourceTraining, targetTraining } from './resolve.ts';
import { type PlannedRun, studyPaths } from './run.ts';

/** What a plan needs to know of a data set. */
export interface DataFacts {
  /** Hash of its contents. */
  identity: string;
  /** Hash of which sample is in which split. */
  splits: string;
  samples: number;
}

export interface PlanFacts {
  /** Of every data set by its name in the study, the source among them. */
  data: ReadonlyMap<string, DataFacts>;
  /** SHA-256 of the checkpoint, of every model that has one. */
  weights: ReadonlyMap<string, string>;
  cores: number;
  /** Whether a run with `device: auto` computes on a GPU. */
  hasGpu: boolean;
}

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
 * Runs at once and threads of each. `auto` on a CPU: as many runs at once as there are cores, each with
 * its share of them; on a GPU one run at a time. It depends on the study and the machine alone, not
 * on what is done already, so that a run that goes on has the threads that it began with.
 */
export function shareMachine(
  runs: number,
  study: Pick<Study, 'parallel' | 'threads'>,
  { cores, usesGpu }: { cores: number; usesGpu: boolean },
): Shares {
  const automatic = usesGpu ? 1 : Math.max(1, Math.min(runs, cores));
  const parallel = study.parallel === 'auto' ? automatic : study.parallel;
  const threads =
    study.threads === 'auto' ? Math.max(1, Math.floor(cores / parallel)) : study.threads;
  return { parallel, threads };
}

/**
 * All runs of a study. Pure: the same study and facts give the same plan.
 * @param folder absolute path of the study's folder
 */
export function planRuns(study: Study, folder: string, facts: PlanFacts): Plan {
  const paths = studyPaths(folder);
  const factsOf = (name: string): DataFacts => {
    const found = facts.data.get(name);
    if (!found) throw new Error(`no facts about data set ${name}`);
    return found;
  };
  const usesGpu = (training: TrainingSettings): boolean =>
    training.device === 'auto' ? facts.hasGpu : training.device !== 'cpu';

  const { source } = study;
  const modelInits = (model: string) => {
    const modules = study.modules?.get(model);
    return expandInits(study.inits, { model, modules, where: `${study.file}: inits` }).map(
      (init) => ({ init, title: initTitle(init, modules) }),
    );
  };
  const initsOf = Object.fromEntries(
    study.models.map(({ model }) => [model, modelInits(model).map(({ title }) => title)]),
  );
  const transfers = study.inits.some((init) => init !== 'ri');
  const taught = transfers ? study.models.filter(({ weights }) => weights === undefined) : [];
  const sources = new Map<string, PlannedRun>();
  if (source) {
    for (const { model } of taught) {
      const training = sourceTraining(study, model);
      const shares = shareMachine(taught.length, study, {
        cores: facts.cores,
        usesGpu: usesGpu(training),
      });
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
      const { identity, splits, samples } = factsOf(source.name);
      sources.set(model, {
        id: runIdentity({ config, data: identity, splits }),
        role: 'source',
        data: source.name,
        samples,
        model,
        init: 'ri',
        seed: source.seed,
        config,
        parallel: shares.parallel,
      });
    }
  }

  const settings = study.seeds.flatMap((seed) =>
    study.data.flatMap((data) =>
      study.models.flatMap((model) =>
        modelInits(model.model).map((init) => ({ seed, data, model, ...init })),
      ),
    ),
  );
  const targets = settings.map(({ seed, data, model: { model, weights: file }, init, title }) => {
    const training = targetTraining(study, { data: data.name, model, init });
    const shares = shareMachine(settings.length, study, {
      cores: facts.cores,
      usesGpu: usesGpu(training),
    });
    const teacher = init === 'ri' || file !== undefined ? undefined : sources.get(model);
    const weights = teacher ? join(paths.run(teacher.id), 'best.safetensors') : file;
    const config: RunConfig = {
      data: data.spec,
      splitsFile: paths.splits(data.name),
      splitSeed: study.splitSeed,
      model,
      init,
      initOptions: study.initOptions,
      ...(init === 'ri' || weights === undefined ? {} : { weights }),
      seed,
      training: { ...training, threads: shares.threads },
    };
    const { identity, splits, samples } = factsOf(data.name);
    const origin = teacher?.id ?? facts.weights.get(model);
    return {
      id: runIdentity({ config, data: identity, splits, weights: origin }),
      role: 'target' as const,
      data: data.name,
      samples,
      model,
      init: title,
      seed,
      ...(teacher ? { source: teacher.id } : {}),
      config,
      parallel: shares.parallel,
    };
  });

  const runs = [...sources.values(), ...targets];
  refuseTwins(study, runs);
  return {
    name: study.name,
    folder,
    file: study.file,
    data: study.data.map(({ name }) => name),
    models: study.models.map(({ model }) => model),
    inits: [...new Set(Object.values(initsOf).flat())],
    initsOf,
    seeds: study.seeds,
    runs,
  };
}

/** Refuses two runs that are the same under different names: two data sets with the same images. */
function refuseTwins(study: Study, runs: readonly PlannedRun[]): void {
  const seen = new Map<string, PlannedRun>();
  for (const run of runs) {
    const twin = seen.get(run.id);
    if (twin) {
      throw new RequestError({
        where: `${study.file}: data`,
        expected: 'data sets that differ in images, labels or splits',
        got: `${twin.data} and ${run.data}, which are the same`,
        hint: 'name each data set once',
      });
    }
    seen.set(run.id, run);
  }
}
