/**
 * How long a study will take and what it will need on disk, before it starts: from finished runs like
 * those to do where there are any, else from the speed that a probe measured.
 */
import type { Speed } from '../train/index.ts';
import { mean } from '../util/index.ts';
import type { DataFacts } from './plan.ts';
import type { PlannedRun } from './run.ts';
import type { RunState } from './state.ts';

/** Seconds or bytes: what is expected, and what is possible at most. */
export interface Range {
  typical: number;
  most: number;
}

export interface RunEstimate {
  run: PlannedRun;
  /** Absent where the speed is not known. */
  seconds?: Range;
  /** Of the whole run: what it has written when it ends. */
  bytes?: number;
  /** What the seconds are from. */
  from: 'finished runs' | 'probe' | 'nothing';
}

export interface StudyEstimate {
  /** Of the runs that are not done, side by side as the plan has them; absent where one is not known. */
  seconds?: Range;
  /** One run after another. */
  runSeconds?: Range;
  /** Of the runs that are not done. */
  bytes?: number;
  /** Resized images, kept in the cache folder for all studies. */
  cacheBytes: number;
  /** Runs to do whose time is not known. */
  unknown: number;
  byModel: { model: string; runs: number; runSeconds?: Range; bytes?: number }[];
  /** What the numbers rest on, in sentences. */
  assumptions: string[];
  runs: RunEstimate[];
}

/** What {@link estimateStudy} needs to know of the machine and the data. */
export interface EstimateFacts {
  /** The speed of a run; `undefined` where it was not measured. */
  speedOf: (run: PlannedRun) => Speed | undefined;
  /** Parameters of a model, where no probe has counted them. */
  parametersOf: (model: string) => number | undefined;
  dataOf: (name: string) => DataFacts | undefined;
}

/** Initial network, best network, and the state to resume from: network, best, and Adam's two moments. */
const COPIES_ON_DISK = 6;
const BYTES_OF_A_NUMBER = 4;
/** Logs, records, analyses. */
const OTHER_BYTES = 300_000;

/** Iterations of a run: a typical number, and the one at which it ends at the latest. */
export function estimateIterations(
  { config: { training, init } }: PlannedRun,
  trainImages: number,
): Range & { perEpoch: number } {
  const batch = Math.min(training.batchSize, Math.max(1, trainImages));
  const perEpoch = Math.max(1, Math.floor(trainImages / batch));
  const most = Math.min(
    training.maxEpochs * perEpoch,
    training.maxIterations ?? Number.POSITIVE_INFINITY,
  );
  if (training.schedule === 'constant') return { typical: most, most, perEpoch };
  const usual = init === 'ri' ? 3e-4 : 1e-4;
  const base = training.learningRate === 'auto' ? usual : training.learningRate;
  // The last stall is at the lowest rate, where nothing is left to reduce.
  const ratio = Math.max(1, base / training.minLearningRate);
  const stalls = Math.ceil(Math.log(ratio) / -Math.log(training.reduceFactor) - 1e-9) + 1;
  const evaluations = stalls * (training.patience + 1);
  const stalled = (evaluations * perEpoch) / training.evaluationsPerEpoch;
  const typical = training.warmupIterations + 2 * stalled;
  return { typical: Math.min(most, Math.round(typical)), most, perEpoch };
}

/** Seconds of a run of so many iterations. */
function secondsOf(
  { config: { training } }: PlannedRun,
  iterations: number,
  perEpoch: number,
  speed: Speed,
  counts: { val: number; test: number },
): number {
  const evaluations = Math.max(1, (iterations / perEpoch) * training.evaluationsPerEpoch);
  const evaluated = evaluations * counts.val + counts.test;
  return speed.startSeconds + iterations * speed.stepSeconds + evaluated * speed.evaluationSeconds;
}

/** Bytes that a run of so many parameters has written when it ends. */
export function estimateBytes(parameters: number): number {
  return COPIES_ON_DISK * BYTES_OF_A_NUMBER * parameters + OTHER_BYTES;
}

const settingOf = (run: PlannedRun): string =>
  [run.role, run.data, run.model, run.init, run.from, run.variant].join('\n');
const kinOf = (run: PlannedRun): string => [run.role, run.data, run.model, run.variant].join('\n');

/** The mean wall time of finished runs, by setting and by what is alike but for the initialisation. */
function finishedSeconds(states: readonly RunState[]): (run: PlannedRun) => number | undefined {
  const groups = new Map<string, number[]>();
  for (const { run, record } of states) {
    if (!record?.result) continue;
    for (const key of [settingOf(run), kinOf(run)]) {
      groups.set(key, [...(groups.get(key) ?? []), record.result.wallSeconds]);
    }
  }
  return (run) => {
    const group = groups.get(settingOf(run)) ?? groups.get(kinOf(run));
    return group && mean(group);
  };
}

/** The estimate of everything that is to do. */
export function estimateStudy(states: readonly RunState[], facts: EstimateFacts): StudyEstimate {
  const todo = states.filter(({ status }) => status !== 'done').map(({ run }) => run);
  const finished = finishedSeconds(states);
  const runs = todo.map((run): RunEstimate => {
    const speed = facts.speedOf(run);
    const parameters = speed?.parameters ?? facts.parametersOf(run.model);
    const bytes = parameters === undefined ? undefined : estimateBytes(parameters);
    const counts = facts.dataOf(run.data)?.counts;
    const { typical, most, perEpoch } = estimateIterations(run, counts?.train ?? 0);
    const atMost = speed && counts ? secondsOf(run, most, perEpoch, speed, counts) : undefined;
    const known = finished(run);
    if (known !== undefined) {
      const seconds = { typical: known, most: Math.max(known, atMost ?? known) };
      return { run, seconds, bytes, from: 'finished runs' };
    }
    if (!speed || !counts || atMost === undefined) return { run, bytes, from: 'nothing' };
    const seconds = { typical: secondsOf(run, typical, perEpoch, speed, counts), most: atMost };
    return { run, seconds, bytes, from: 'probe' };
  });
  const cacheBytes = imageBytes(todo, facts);
  const reading = readingSeconds(todo, facts);
  const byModel = [...new Set(todo.map(({ model }) => model))].map((model) => {
    const own = runs.filter(({ run }) => run.model === model);
    return { model, runs: own.length, runSeconds: sumOf(own, () => 1), bytes: bytesOf(own) };
  });
  const together = sumOf(runs, ({ run }) => 1 / run.parallel);
  return {
    seconds: together && {
      typical: together.typical + reading,
      most: together.most + reading,
    },
    runSeconds: sumOf(runs, () => 1),
    bytes: bytesOf(runs),
    cacheBytes,
    unknown: runs.filter(({ seconds }) => seconds === undefined).length,
    byModel,
    assumptions: assumptionsOf(runs),
    runs,
  };
}

function sumOf(
  runs: readonly RunEstimate[],
  weight: (run: RunEstimate) => number,
): Range | undefined {
  let [typical, most] = [0, 0];
  for (const run of runs) {
    if (!run.seconds) return undefined;
    typical += run.seconds.typical * weight(run);
    most += run.seconds.most * weight(run);
  }
  return { typical, most };
}

function bytesOf(runs: readonly RunEstimate[]): number | undefined {
  let total = 0;
  for (const { bytes } of runs) {
    if (bytes === undefined) return undefined;
    total += bytes;
  }
  return total;
}

/** One run of each data set and size of its resized images. */
function imageSets(runs: readonly PlannedRun[], facts: EstimateFacts): [PlannedRun, DataFacts][] {
  const sets = new Map<string, [PlannedRun, DataFacts]>();
  for (const run of runs) {
    const data = facts.dataOf(run.data);
    if (!data || !run.config.training.cache) continue;
    const key = `${data.identity} ${run.config.training.size} ${run.config.training.resize}`;
    if (!sets.has(key)) sets.set(key, [run, data]);
  }
  return [...sets.values()];
}

/** Resized images of all data sets, three bytes a pixel. */
function imageBytes(runs: readonly PlannedRun[], facts: EstimateFacts): number {
  return imageSets(runs, facts).reduce((sum, [{ config }, { samples }]) => {
    const { size, resize } = config.training;
    const side = resize === 'auto' ? Math.round(((size === 'auto' ? 224 : size) * 8) / 7) : resize;
    return sum + samples * side * side * 3;
  }, 0);
}

/** Reading every image for the first time. */
function readingSeconds(runs: readonly PlannedRun[], facts: EstimateFacts): number {
  return imageSets(runs, facts).reduce(
    (sum, [run, { samples }]) => sum + samples * (facts.speedOf(run)?.readSeconds ?? 0),
    0,
  );
}

function assumptionsOf(runs: readonly RunEstimate[]): string[] {
  const sources = new Set(runs.map(({ from }) => from));
  const isPlateau = runs.some(({ run }) => run.config.training.schedule === 'plateau');
  const several = runs.some(({ run }) => run.parallel > 1);
  return [
    ...(isPlateau
      ? [
          'at most: every run goes on to maxEpochs; typically: a run improves for as many evaluations as ' +
            'it then stalls through the reductions of its learning rate, after the warm-up',
        ]
      : ['every run goes on to maxEpochs']),
    ...(sources.has('finished runs')
      ? ['finished runs of the same data set and model stand for those that are to do']
      : []),
    ...(sources.has('probe')
      ? [
          `speeds are of a few steps of one run alone${several ? '; runs at once may slow each other down' : ''}`,
        ]
      : []),
    'analyses are not counted in the time',
  ];
}
