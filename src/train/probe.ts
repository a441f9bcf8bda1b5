/**
 * How fast a run would train on this machine, from a few real steps of it: real images, the real network,
 * the run's own batch, size, number format and threads. Writes nothing that stays.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DataSet,
  hasUnknownLabels,
  imagenetStatistics,
  Loader,
  luminanceStatistics,
  makeSplits,
  openDataSet,
  parseAugment,
  parseDataSpec,
} from '../data/index.ts';
import { outputCount, predict } from '../eval/index.ts';
import { describeModel, type ImageModel } from '../models/index.ts';
import type { RunConfig } from '../results/index.ts';
import { manualSeed, setThreadCount, synchronize } from '../tensor/index.ts';
import { buildNetwork, countParameters, initialiseNetwork } from './network.ts';
import {
  type Machine,
  resolveMachine,
  resolveOptimiser,
  resolveSizes,
  resolveWorkers,
} from './resolve.ts';
import { Stepper } from './stepper.ts';

export interface Speed {
  /** Seconds of one training step, its images read and changed meanwhile. */
  stepSeconds: number;
  /** Seconds of an image of an evaluation. */
  evaluationSeconds: number;
  /** Seconds to read an image of this data set for the first time. */
  readSeconds: number;
  /** Seconds from the start of a process until its network is ready. */
  startSeconds: number;
  /** Of the network with this data set's head. */
  parameters: number;
  /** Images of the steps that were measured; fewer than the run's batch where those took too long. */
  measuredBatch: number;
}

/** The first steps are of so many images. */
const SMALL_BATCH = 8;
/** A full batch is measured where it is expected to take less than this. */
const LONGEST_STEP_SECONDS = 3;
/** Batches of different images. */
const BATCHES = 3;
/** So small that no network diverges. */
const PROBE_LEARNING_RATE = 1e-7;
/** Steps are measured for so long, or so many of them. */
const MEASURED_SECONDS = 3;
const MOST_STEPS = 8;

/**
 * Measures. `wt` and its kin are measured as `ri`: no step depends on where weights come from.
 * @throws RequestError and WorkError as a run does.
 */
export async function measureSpeed(config: RunConfig, signal?: AbortSignal): Promise<Speed> {
  const machine = resolveMachine(config.training);
  setThreadCount(machine.threads);
  manualSeed(0);
  const dataset = await openDataSet(parseDataSpec(config.data), { signal });
  const { train } = makeSplits(dataset, { seed: config.splitSeed });
  const { family } = describeModel(config.model);
  const { size } = resolveSizes(config);
  const outputs = outputCount(dataset.task, dataset.classes.length);
  const random = { ...config, init: 'ri' as const, weights: undefined };
  const model = buildNetwork(random, { outputs, size, device: 'cpu' });
  const folder = await mkdtemp(join(tmpdir(), 'carryover-probe-'));
  try {
    await initialiseNetwork(model, random);
    const startSeconds = process.uptime();
    if (machine.device !== 'cpu') model.to({ device: machine.device });
    const stepper = new Stepper({
      model,
      task: dataset.task,
      unknownLabels: hasUnknownLabels(dataset),
      training: config.training,
      resolved: { ...machine, ...resolveOptimiser(config, family) },
    });
    try {
      const parts = { config, dataset, train, model, stepper, machine, folder, signal };
      const batch = Math.min(config.training.batchSize, train.length);
      const small = await measureBatches(parts, Math.min(SMALL_BATCH, batch));
      const scaled = (small.stepSeconds * batch) / small.batch;
      const isEnough = small.batch === batch || scaled > LONGEST_STEP_SECONDS;
      const final = isEnough ? small : await measureBatches(parts, batch);
      return {
        stepSeconds: (final.stepSeconds * batch) / final.batch,
        evaluationSeconds: final.evaluationSeconds,
        readSeconds: small.readSeconds,
        startSeconds,
        parameters: countParameters(model),
        measuredBatch: final.batch,
      };
    } finally {
      stepper.dispose();
    }
  } finally {
    model.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Parts {
  config: RunConfig;
  dataset: DataSet;
  /** Positions of the training split. */
  train: readonly number[];
  model: ImageModel;
  stepper: Stepper;
  machine: Machine;
  /** For the resized images of the probe. */
  folder: string;
  signal: AbortSignal | undefined;
}

interface Measured {
  batch: number;
  stepSeconds: number;
  evaluationSeconds: number;
  readSeconds: number;
}

/** Steps and an evaluation over a few images of the training split, in batches of `batch`. */
async function measureBatches(
  { config, dataset, train, model, stepper, machine, folder, signal }: Parts,
  batch: number,
): Promise<Measured> {
  const { training } = config;
  const chosen = train.slice(0, batch * BATCHES);
  // A data set of these images alone: no more than them are read.
  const few: DataSet = {
    ...dataset,
    identity: `${dataset.identity} probe ${batch}`,
    samples: chosen.flatMap((index) => dataset.samples[index] ?? []),
  };
  const channels =
    training.inputChannels === 1 ? luminanceStatistics(imagenetStatistics) : imagenetStatistics;
  const open = (augmented: boolean): Promise<Loader> =>
    Loader.open({
      ...resolveSizes(config),
      ...channels,
      dataset: few,
      device: machine.device,
      indices: few.samples.map((_, index) => index),
      batchSize: batch,
      augment: augmented && parseAugment(training.augment),
      shuffle: false,
      dropLast: augmented,
      seed: 0,
      workers: resolveWorkers(training.workers),
      onBadImage: 'skip',
      cache: training.cache,
      cacheFolder: folder,
      signal,
    });
  const opening = performance.now();
  const loader = await open(true);
  const readSeconds = (performance.now() - opening) / 1000 / few.samples.length;
  try {
    const { device, precision } = machine;
    const stepSeconds = await measureSteps(loader, model, stepper, machine, signal);
    const evaluated = await open(false);
    try {
      const start = performance.now();
      await predict(model, evaluated, { device, precision });
      const evaluationSeconds = (performance.now() - start) / 1000 / evaluated.indices.length;
      return { batch, stepSeconds, evaluationSeconds, readSeconds };
    } finally {
      await evaluated.close();
    }
  } finally {
    await loader.close();
  }
}

/** The mean time of steps after the first, which allocates. */
async function measureSteps(
  loader: Loader,
  model: ImageModel,
  stepper: Stepper,
  { device }: Machine,
  signal: AbortSignal | undefined,
): Promise<number> {
  model.train();
  let steps = 0;
  let start = 0;
  for (let epoch = 0; ; epoch++) {
    for await (const batch of loader.epoch(epoch)) {
      try {
        signal?.throwIfAborted();
        stepper.step(batch, PROBE_LEARNING_RATE, steps);
        synchronize(device);
      } finally {
        batch.dispose();
      }
      steps += 1;
      if (steps === 1) start = performance.now();
      const seconds = (performance.now() - start) / 1000;
      if (steps > 1 && (seconds > MEASURED_SECONDS || steps > MOST_STEPS)) {
        return seconds / (steps - 1);
      }
    }
  }
}
