/** A study's folder: its resolved study, its plan and the splits that all its runs share. */
import { access, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { DataSet, Splits } from '../data/index.ts';
import { parseYamlMap, type RunConfig, runConfigSchema } from '../results/index.ts';
import {
  errorCode,
  hashFile,
  RequestError,
  WorkError,
  writeFileWhole,
  writeJson,
} from '../util/index.ts';
import type { NamedData } from './dataAxis.ts';
import { formatStudy } from './describe.ts';
import { type DataFacts, type Plan, type PlanFacts, planRuns, weightsKey } from './plan.ts';
import { defaultName } from './resolve.ts';
import { type PlannedRun, studyPaths } from './run.ts';
import type { Study, StudySource } from './study.ts';

/** Where a study's runs are, unless told otherwise: `runs/<study>` in the working folder. */
export function studyFolder(study: Pick<Study, 'name'>, out: string | undefined): string {
  return resolve(out ?? `runs/${study.name}`);
}

/**
 * The folder of a study that was begun, from its study file or the folder itself. Reads no more of the
 * file than its name.
 */
export async function locateFolder(path: string, out: string | undefined): Promise<string> {
  if (out !== undefined) return resolve(out);
  if (await exists(studyPaths(path).plan)) return resolve(path);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RequestError(
      { where: path, expected: 'a study file, or the folder of a study', got: 'neither' },
      { cause: error },
    );
  }
  const { name } = parseYamlMap(text, path);
  return studyFolder({ name: typeof name === 'string' && name ? name : defaultName(path) }, out);
}

interface OpenData {
  named: NamedData;
  dataset: DataSet;
  splits: Splits;
}

/** A plan and what had to be opened to make it. */
export interface PreparedStudy {
  study: Study;
  plan: Plan;
  /** What a user should know of the data sets and their splits. */
  notes: string[];
  /** Of every data set by its name. */
  facts: ReadonlyMap<string, DataFacts>;
  opened: OpenData[];
}

export interface PrepareOptions {
  signal?: AbortSignal;
  /** Called while a data set's files are read. */
  onData?: (name: string, done: number, total: number) => void;
  /** Finds out how many runs of each model are best at once, of a plan's runs on the CPU. */
  shareOut?: (runs: readonly PlannedRun[], cores: number) => Promise<ReadonlyMap<string, number>>;
}

/**
 * Opens and splits the data sets, hashes the checkpoints, and plans. Writes nothing but the cache of
 * files' hashes.
 * @throws RequestError for anything wrong in the data sets, or a checkpoint that is not there.
 */
export async function prepareStudy(
  study: Study,
  folder: string,
  { signal, onData, shareOut }: PrepareOptions = {},
): Promise<PreparedStudy> {
  // Both load LibTorch, which the other commands of a study do without.
  const [
    { makeSplits, openDataSet, splitsIdentity, takePart },
    { availableCores, cudaDeviceCount },
  ] = await Promise.all([import('../data/index.ts'), import('../tensor/index.ts')]);
  const opened: OpenData[] = [];
  const facts = new Map<string, DataFacts>();
  const wholes = new Map<string, DataSet>();
  for (const { splitSeed, ...named } of openedBy(study)) {
    const family = named.partOf ?? named.name;
    const whole =
      wholes.get(family) ??
      (await openDataSet(named.spec, {
        signal,
        onProgress: (done, total) => onData?.(family, done, total),
      }));
    wholes.set(family, whole);
    const dataset = takePart(whole, named.spec);
    const splits = makeSplits(dataset, { seed: splitSeed });
    opened.push({ named, dataset, splits });
    const { train, val, test } = splits;
    facts.set(named.name, {
      identity: dataset.identity,
      splits: splitsIdentity(dataset, splits),
      samples: dataset.samples.length,
      counts: { train: train.length, val: val.length, test: test.length },
    });
  }
  const weights = await hashCheckpoints(study);
  const planFacts: PlanFacts = {
    data: facts,
    weights,
    cores: availableCores(),
    hasGpu: cudaDeviceCount() > 0,
    gpus: Math.max(1, cudaDeviceCount()),
  };
  let plan = planRuns(study, folder, planFacts);
  if (shareOut) {
    const onCpu = plan.runs.filter(({ config: { training } }) =>
      training.device === 'auto' ? !planFacts.hasGpu : training.device === 'cpu',
    );
    const parallelOf = await shareOut(onCpu, planFacts.cores);
    if (parallelOf.size > 0) plan = planRuns(study, folder, { ...planFacts, parallelOf });
  }
  const notes = opened.flatMap(({ named, dataset, splits }) =>
    [...dataset.notes, ...splits.notes].map((note) => `${named.name}: ${note}`),
  );
  return { study, plan, notes, facts, opened };
}

/** What a plan opens: the target data sets, and those that sources are trained on. */
function openedBy(study: Study): (NamedData & { splitSeed: number })[] {
  return [
    ...study.data.map((named) => ({ ...named, splitSeed: study.splitSeed })),
    ...study.sources.flatMap((source) =>
      source.spec && trainsModels(study, source)
        ? [{ name: source.name, spec: source.spec, splitSeed: source.splitSeed }]
        : [],
    ),
  ];
}

/** Whether some model has no checkpoint but what the study trains on this source. */
function trainsModels({ models }: Study, source: StudySource): boolean {
  return models.some(({ model, weights }) => weights === undefined && !source.weights[model]);
}

/** SHA-256 of every checkpoint of models and sources, each file read once. */
async function hashCheckpoints(study: Study): Promise<Map<string, string>> {
  const files = [
    ...study.models.map(({ model, weights }) => ({ key: model, model, path: weights })),
    ...study.sources.flatMap(({ name, weights }) =>
      Object.entries(weights).map(([model, path]) => ({
        key: weightsKey(name, model),
        model,
        path,
      })),
    ),
  ];
  const hashes = new Map<string, string>();
  const byPath = new Map<string, string>();
  for (const { key, model, path } of files) {
    if (path === undefined) continue;
    const hash = byPath.get(path) ?? (await hashWeights(study, model, path));
    byPath.set(path, hash);
    hashes.set(key, hash);
  }
  return hashes;
}

async function hashWeights(study: Study, model: string, path: string): Promise<string> {
  try {
    return await hashFile(path);
  } catch (error) {
    throw new RequestError(
      {
        where: `${study.file}: weights of ${model}`,
        expected: 'a checkpoint file that can be read',
        got: `${path} (${errorCode(error) ?? String(error)})`,
      },
      { cause: error },
    );
  }
}

/**
 * Writes the resolved study, the plan and the splits. Splits that are there already are kept: finished
 * runs were trained on them.
 * @throws WorkError where they differ from those that the study makes now.
 */
export async function writeStudyFolder({ study, plan, opened }: PreparedStudy): Promise<void> {
  const { describeChanges, readSplits, splitsIdentity, writeSplits } = await import(
    '../data/index.ts'
  );
  const paths = studyPaths(plan.folder);
  for (const { named, dataset, splits } of opened) {
    const path = paths.splits(named.name);
    if (!(await exists(path))) {
      await writeSplits(path, dataset, splits);
      continue;
    }
    const changes = await describeChanges(path, dataset, splits);
    if (changes !== undefined) {
      throw new WorkError({
        where: path,
        expected: `${named.name} as it was when this split was made`,
        got: `a changed data set: ${changes}`,
        hint: 'undo the change, or choose another --out: finished runs belong to the old one',
      });
    }
    const present = await readSplits(path, dataset);
    if (splitsIdentity(dataset, present) !== splitsIdentity(dataset, splits)) {
      throw new WorkError({
        where: path,
        expected: 'the split that this study makes',
        got: 'another one: the settings of the split have changed',
        hint: 'choose another --out, or move the file away if the runs made with it do not matter',
      });
    }
  }
  await writeFileWhole(paths.study, formatStudy(study));
  await writeJson(paths.plan, plan);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

const planSchema = z.strictObject({
  name: z.string(),
  folder: z.string(),
  file: z.string(),
  data: z.array(z.string()),
  models: z.array(z.string()),
  inits: z.array(z.string()),
  initsOf: z.record(z.string(), z.array(z.string())).optional(),
  sources: z.array(z.string()).optional(),
  partOf: z.record(z.string(), z.string()).optional(),
  seeds: z.array(z.int()),
  runs: z.array(
    z.strictObject({
      id: z.string(),
      role: z.enum(['source', 'target', 'variant', 'grid']),
      data: z.string(),
      samples: z.int(),
      model: z.string(),
      init: z.string(),
      seed: z.int(),
      from: z.string().optional(),
      variant: z.string().optional(),
      source: z.string().optional(),
      config: z.custom<RunConfig>((value) => runConfigSchema.safeParse(value).success),
      parallel: z.int(),
    }),
  ),
});

/**
 * The plan that `study run` wrote last, read without opening any data. The folder may have moved.
 * @throws RequestError where the study was not begun.
 */
export async function readPlan(folder: string): Promise<Plan> {
  const path = studyPaths(folder).plan;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RequestError(
      {
        where: folder,
        expected: 'the folder of a study that was begun',
        got: 'no plan.json',
        hint: 'start it with carryover study run, or name its folder with --out',
      },
      { cause: error },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = planSchema.safeParse(value);
  if (!parsed.success) {
    throw new WorkError({
      where: path,
      expected: 'a plan of this version of carryover',
      got: 'something else',
      hint: 'carryover study run writes it anew',
    });
  }
  return { ...parsed.data, folder };
}
