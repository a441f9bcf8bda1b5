/** One session of a run that this process owns: from the claim to its end or its stop. */
import { access, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  channelStatistics,
  hasUnknownLabels,
  type ImageOptions,
  imagenetStatistics,
  Loader,
  luminanceStatistics,
  nearDuplicateNotes,
  parseAugment,
  writeSplits,
} from '../data/index.ts';
import { evaluate, outputCount, PredictionStopped, predict } from '../eval/index.ts';
import { describeModel, type ImageModel } from '../models/index.ts';
import {
  type Resolved,
  type RunConfig,
  type RunRecord,
  type RunResult,
  runPaths,
} from '../results/index.ts';
import { type Device, manualSeed, setDeterministic, setThreadCount } from '../tensor/index.ts';
import { CarryoverError, WorkError } from '../util/index.ts';
import { writeSafetensors } from '../weights/index.ts';
import type { OwnedRecord } from './claim.ts';
import { TrainingStopped, type TrainOptions, throwIfStopped } from './events.ts';
import { GpuUtilisation } from './gpuUtilisation.ts';
import { RunLog } from './log.ts';
import type { Material } from './material.ts';
import { buildNetwork, countParameters, initialiseNetwork } from './network.ts';
import {
  type Machine,
  resolveMachine,
  resolveMaxIterations,
  resolveOptimiser,
  resolveSizes,
  resolveWorkers,
} from './resolve.ts';
import { loadState, type Position, type RunState, restoreTensors, saveState } from './state.ts';
import { Trainer, type TrainerParts } from './trainer.ts';

/** Images of an evaluation at once; more gain nothing and cost memory. */
const EVALUATION_BATCH = 64;

export class Session {
  readonly #config: RunConfig;
  readonly #folder: string;
  readonly #material: Material;
  readonly #record: OwnedRecord;
  readonly #options: TrainOptions;
  readonly #warnings: string[];
  readonly #loaders: Loader[] = [];
  readonly #startedAt = performance.now();
  readonly #startedProcessor = process.cpuUsage();
  #gpu: GpuUtilisation | undefined;

  constructor(
    config: RunConfig,
    folder: string,
    material: Material,
    record: OwnedRecord,
    options: TrainOptions,
  ) {
    this.#config = config;
    this.#folder = folder;
    this.#material = material;
    this.#record = record;
    this.#options = options;
    this.#warnings = [...record.current.warnings];
    for (const text of material.warnings) this.#warn(text);
  }

  /**
   * Trains and tests, or goes on doing so.
   * @throws TrainingStopped once the signal is aborted, with the state saved.
   */
  async run(): Promise<RunResult> {
    const { training } = this.#config;
    const state = await this.#findState();
    const machine = this.#resolveMachine(state?.position);
    setThreadCount(machine.threads);
    if (machine.device !== 'cpu') {
      setDeterministic(true);
      this.#gpu = new GpuUtilisation(machine.device);
    }
    const sizes = resolveSizes(this.#config);
    throwIfStopped(this.#options.signal);
    manualSeed(this.#config.seed);
    // Before the images, so that a checkpoint that does not fit is told before hours of decoding.
    const model = await this.#prepareNetwork(machine.device, sizes.size, state);
    try {
      const loaders = await this.#openLoaders(sizes, machine.device);
      const { family } = describeModel(this.#config.model);
      const iterationsPerEpoch = loaders.train.batchesPerEpoch;
      const resolved: Resolved = {
        ...machine,
        ...sizes,
        ...resolveOptimiser(this.#config, family),
        batchSize: loaders.batchSize,
        iterationsPerEpoch,
        maxIterations: resolveMaxIterations(training, iterationsPerEpoch),
      };
      throwIfStopped(this.#options.signal);
      await this.#record.update({ resolved, parameters: countParameters(model) });
      return await this.#trainAndTest(model, loaders, resolved, state);
    } finally {
      model.dispose();
    }
  }

  /** Ends the loaders' workers. */
  async close(): Promise<void> {
    this.#gpu?.[Symbol.dispose]();
    await Promise.all(this.#loaders.map((loader) => loader.close()));
  }

  async #trainAndTest(
    model: ImageModel,
    loaders: { train: Loader; val: Loader; test: Loader },
    resolved: Resolved,
    state: RunState | undefined,
  ): Promise<RunResult> {
    const { dataset, runId } = this.#material;
    const { onEvent = () => {}, signal } = this.#options;
    const log = await RunLog.open(runPaths(this.#folder).log, state?.position.logBytes ?? 0);
    const parts: TrainerParts = {
      runId,
      model,
      task: {
        task: dataset.task,
        metric: dataset.metric,
        classes: dataset.classes,
        unknownLabels: hasUnknownLabels(dataset),
      },
      trainLoader: loaders.train,
      validationLoader: loaders.val,
      training: this.#config.training,
      resolved,
      log,
      save: (current) => this.#save(current),
      startedAt: this.#startedAt,
      startedProcessor: this.#startedProcessor,
      assertOwned: () => this.#record.assertOwned(),
      afterStep: (position) => this.#record.note({ progress: progressOf(position, resolved) }),
      onEvent,
      signal,
    };
    try {
      using trainer = new Trainer(parts, state);
      this.#phase(state ? `going on at iteration ${trainer.position.iteration}` : 'training');
      await trainer.run();
      await this.#record.update({ progress: progressOf(trainer.position, resolved) });
      return await this.#test(model, trainer, loaders.test, resolved);
    } finally {
      await log.close();
    }
  }

  /** The state to go on from, if the run has one. Leftovers of a process that was killed are removed. */
  async #findState(): Promise<RunState | undefined> {
    const paths = runPaths(this.#folder);
    for (const folder of [this.#folder, paths.resumeFolder]) {
      for (const name of await listIfThere(folder)) {
        if (/^\..*\.tmp$|\.json\.\d+$/.test(name)) await rm(join(folder, name), { force: true });
      }
    }
    if (!(await exists(paths.resume))) return undefined;
    this.#phase('reading the state to resume from');
    const state = await this.#loadState();
    if (!state) return undefined;
    if (state.position.runId === this.#material.runId) return state;
    throw new WorkError({
      where: paths.resume,
      expected: `the state of run ${this.#material.runId}`,
      got: `that of run ${state.position.runId}`,
      hint: 'remove the folder and start again',
    });
  }

  /** The saved state; `undefined`, and a warning, where it or the log that belongs to it is damaged. */
  async #loadState(): Promise<RunState | undefined> {
    const paths = runPaths(this.#folder);
    try {
      const state = await loadState(paths.resume);
      const { size } = await stat(paths.log).catch(() => ({ size: 0 }));
      const { logBytes } = state.position;
      if (size >= logBytes) return state;
      const got = `${size} bytes of the ${logBytes} that the state counts on`;
      throw new WorkError({ where: paths.log, expected: 'the log of what was done', got });
    } catch (error) {
      if (!(error instanceof CarryoverError)) throw error;
      this.#warn(`begins anew: what was to be gone on with is damaged (${error.message})`);
      await rm(paths.resumeFolder, { recursive: true, force: true });
      return undefined;
    }
  }

  /**
   * The machine as it is now, with the number format that a resumed run began with. Says where such a
   * run will not be bit-identical.
   */
  #resolveMachine(position: Position | undefined): Machine {
    const { training } = this.#config;
    const now = resolveMachine(training);
    const earlier = this.#record.current.resolved;
    if (!position || !earlier) return now;
    const precision = training.precision === 'auto' ? earlier.precision : now.precision;
    const machine = { ...now, precision };
    const differences = (['device', 'threads'] as const)
      .filter((key) => earlier[key] !== machine[key])
      .map((key) => `${key} ${machine[key]} instead of ${earlier[key]}`);
    if (differences.length > 0) {
      this.#warn(`goes on with ${differences.join(', ')}: the last bits of the result may differ`);
    }
    return machine;
  }

  /** @param device where batches are augmented and normalised: images travel to a GPU as bytes. */
  async #openLoaders(
    { size, resize }: { size: number; resize: number },
    device: Device,
  ): Promise<{ train: Loader; val: Loader; test: Loader; batchSize: number }> {
    const { training, seed } = this.#config;
    const { dataset, splits, splitsHash } = this.#material;
    const { signal } = this.#options;
    const earlier = this.#record.current.data;
    this.#phase('preparing the images');
    const images = {
      resize,
      workers: resolveWorkers(training.workers),
      onBadImage: training.onBadImage,
      cache: training.cache,
      signal,
      onNote: (text: string) => this.#warn(text),
      onProgress: (done: number, total: number) =>
        this.#options.onEvent?.({ kind: 'images', done, total }),
    };
    const { mean, std } = earlier ?? (await this.#channelStatistics(images));
    const open = async (split: 'train' | 'val' | 'test'): Promise<Loader> => {
      const isTraining = split === 'train';
      const loader = await Loader.open({
        ...images,
        dataset,
        device,
        size,
        mean,
        std,
        seed,
        indices: splits[split],
        batchSize: isTraining ? training.batchSize : EVALUATION_BATCH,
        augment: isTraining && parseAugment(training.augment),
        shuffle: isTraining,
        dropLast: isTraining,
      });
      this.#loaders.push(loader);
      for (const note of loader.notes) this.#warn(note);
      return loader;
    };
    const train = await open('train');
    const { batchSize } = train;
    if (batchSize < training.batchSize) {
      this.#warn(
        `the training split has ${batchSize} images, fewer than a batch of ` +
          `${training.batchSize}: every batch holds all of them`,
      );
    }
    const val = await open('val');
    const test = await open('test');
    for (const note of await nearDuplicateNotes(dataset, splits, images)) this.#warn(note);
    const skipped = [train, val, test].flatMap((loader) => loader.skipped);
    if (skipped.length > 0) this.#warn(`${skipped.length} bad images are left out: see run.json`);
    await writeSplits(runPaths(this.#folder).splits, dataset, splits);
    const { name, identity, task, metric, classes } = dataset;
    await this.#record.update({
      warnings: this.#warnings,
      data: {
        name,
        identity,
        task,
        metric,
        classes,
        counts: {
          train: train.indices.length,
          val: val.indices.length,
          test: test.indices.length,
        },
        splits: splitsHash,
        mean: [...mean],
        std: [...std],
        skipped,
      },
    });
    return { train, val, test, batchSize };
  }

  /** What images are normalised by: of each channel that the network sees. */
  async #channelStatistics(images: ImageOptions): Promise<{ mean: number[]; std: number[] }> {
    const { normalize, inputChannels } = this.#config.training;
    const { dataset, splits } = this.#material;
    const { mean, std } =
      normalize === 'imagenet'
        ? imagenetStatistics
        : await channelStatistics(dataset, splits.train, images);
    return inputChannels === 1
      ? luminanceStatistics({ mean, std })
      : { mean: [...mean], std: [...std] };
  }

  /** The network, initialised and saved, or as it was when the state was saved. */
  async #prepareNetwork(
    device: Device,
    size: number,
    state: RunState | undefined,
  ): Promise<ImageModel> {
    const { dataset, runId, weights } = this.#material;
    const outputs = outputCount(dataset.task, dataset.classes.length);
    if (state) return buildNetwork(this.#config, { outputs, size, device });
    this.#phase('initialising the network');
    const model = buildNetwork(this.#config, { outputs, size, device: 'cpu' });
    const { record: initialisation, summary } = await initialiseNetwork(model, this.#config);
    if (summary !== undefined) this.#phase(summary);
    const metadata = { ...this.#metadata(), runId, iteration: '0' };
    await writeSafetensors(runPaths(this.#folder).initial, model.state(), metadata);
    await this.#record.update({ initialisation, ...(weights ? { weights } : {}) });
    if (device !== 'cpu') model.to({ device });
    return model;
  }

  #metadata(): Record<string, string> {
    return { format: 'pt', model: this.#config.model, runId: this.#material.runId };
  }

  /** Puts a state on disk, and the best network beside it where that has changed. */
  async #save(state: RunState): Promise<void> {
    const paths = runPaths(this.#folder);
    await saveState(paths.resume, state);
    await this.#writeBest(state.best, state.position.best?.iteration);
  }

  #bestWritten: number | undefined;

  async #writeBest(best: RunState['best'], iteration: number | undefined): Promise<void> {
    if (iteration === undefined || iteration === this.#bestWritten) return;
    const metadata = { ...this.#metadata(), iteration: String(iteration) };
    await writeSafetensors(runPaths(this.#folder).best, best, metadata);
    this.#bestWritten = iteration;
  }

  /** Evaluates the test split with the best network. */
  async #test(
    model: ImageModel,
    trainer: Trainer,
    loader: Loader,
    resolved: Resolved,
  ): Promise<RunResult> {
    const { dataset } = this.#material;
    const { position, best } = trainer;
    if (!position.best || position.ended === undefined) throw new Error('training has not ended');
    this.#phase('evaluating the test split');
    await this.#writeBest(new Map(best), position.best.iteration);
    restoreTensors(model.state(), best, 'best network');
    const { task, metric, classes } = dataset;
    const testStarted = performance.now();
    const predictions = await predict(model, loader, {
      device: resolved.device,
      precision: resolved.precision,
      stopRequested: () => this.#options.signal?.aborted === true,
    }).catch((error: unknown) => {
      throw error instanceof PredictionStopped ? new TrainingStopped() : error;
    });
    const testSeconds = (performance.now() - testStarted) / 1000;
    const { evaluationSeconds, savingSeconds } = position;
    const utilisation = this.#utilisation(trainer, resolved);
    return {
      ended: position.ended,
      iterations: position.iteration,
      epochs: position.iteration / resolved.iterationsPerEpoch,
      iterationsToBest: position.best.iteration,
      validation: position.best.evaluation,
      test: evaluate(predictions, { task, metric, classes }) as RunResult['test'],
      imagesPerSecond: position.images / Math.max(position.trainingSeconds, 1e-9),
      trainingSeconds: position.trainingSeconds,
      wallSeconds: trainer.wallSeconds,
      // In KiB on every system (Node documents libuv's ru_maxrss so).
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      ...(evaluationSeconds === undefined
        ? {}
        : { evaluationSeconds: evaluationSeconds + testSeconds }),
      ...(savingSeconds === undefined ? {} : { savingSeconds }),
      ...(utilisation === undefined ? {} : { deviceUtilisation: utilisation }),
    };
  }

  #utilisation(
    { processorSeconds, wallSeconds }: Trainer,
    { device, threads }: Resolved,
  ): number | undefined {
    if (device !== 'cpu') return this.#gpu?.mean;
    return processorSeconds === undefined ? undefined : processorSeconds / (wallSeconds * threads);
  }

  #phase(text: string): void {
    throwIfStopped(this.#options.signal);
    this.#options.onEvent?.({ kind: 'phase', text });
  }

  #warn(text: string): void {
    if (this.#warnings.includes(text)) return;
    this.#warnings.push(text);
    this.#options.onEvent?.({ kind: 'warning', text });
  }
}

function progressOf(position: Position, resolved: Resolved): RunRecord['progress'] {
  const { best, iteration, images, trainingSeconds } = position;
  const value = best?.evaluation.primary.value;
  return {
    iteration,
    maxIterations: resolved.maxIterations,
    ...(best
      ? { best: { iteration: best.iteration, ...(value === undefined ? {} : { value }) } }
      : {}),
    ...(trainingSeconds > 0 ? { imagesPerSecond: images / trainingSeconds } : {}),
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function listIfThere(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
