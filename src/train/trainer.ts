/** The training loop: steps, evaluations, the learning rate, the best network so far, states to resume from. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Loader } from '../data/index.ts';
import {
  type Evaluation,
  evaluate,
  type MetricName,
  PredictionStopped,
  predict,
  type Task,
} from '../eval/index.ts';
import type { ImageModel } from '../models/index.ts';
import { WarmupPlateau } from '../nn/index.ts';
import type { Resolved, TrainingSettings } from '../results/index.ts';
import { getRandomState, keep, scope, setRandomState, type Tensor } from '../tensor/index.ts';
import { mean } from '../util/index.ts';
import type { StoredTensor } from '../weights/index.ts';
import { type TrainEvent, TrainingStopped } from './events.ts';
import type { RunLog } from './log.ts';
import { evaluationIsDue } from './resolve.ts';
import { asTensors, type Position, type RunState, restoreTensors } from './state.ts';
import { Stepper } from './stepper.ts';

export interface TrainerParts {
  runId: string;
  model: ImageModel;
  task: {
    task: Task;
    metric: MetricName;
    classes: readonly string[];
    /** Whether some labels of a multi-label task are unknown. */
    unknownLabels?: boolean;
  };
  trainLoader: Loader;
  validationLoader: Loader;
  training: TrainingSettings;
  resolved: Resolved;
  log: RunLog;
  /** Puts the state on disk. */
  save: (state: RunState) => Promise<void>;
  /** When this session began, on the clock of `performance.now()`, and the processor time till then. */
  startedAt: number;
  startedProcessor: NodeJS.CpuUsage;
  /** Throws where the run is another process' by now; called before anything is written. */
  assertOwned: () => void;
  /** Called after every step, and again where an evaluation followed. */
  afterStep: (position: Position) => void;
  onEvent: (event: TrainEvent) => void;
  signal: AbortSignal | undefined;
}

export class Trainer implements Disposable {
  readonly #parts: TrainerParts;
  readonly #stepper: Stepper;
  readonly #schedule: WarmupPlateau;
  #position: Position;
  #best: Map<string, Tensor | StoredTensor> = new Map();
  #latestLoss: number | undefined;
  #savedAt = performance.now();
  /** When the clock of training last started. */
  #clock = performance.now();
  readonly #earlierSeconds: number;
  readonly #earlierProcessorSeconds: number | undefined;

  /** @param state what to go on from; absent for a run that starts. */
  constructor(parts: TrainerParts, state?: RunState) {
    this.#parts = parts;
    const { training, resolved, model, runId } = parts;
    const { task, unknownLabels } = parts.task;
    this.#stepper = new Stepper({ model, task, unknownLabels, training, resolved });
    this.#schedule = new WarmupPlateau({
      baseLearningRate: resolved.learningRate,
      warmupIterations: training.warmupIterations,
      kind: training.schedule,
      factor: training.reduceFactor,
      patience: training.patience,
      minLearningRate: training.minLearningRate,
    });
    this.#position = {
      format: 1,
      runId,
      iteration: 0,
      epoch: 0,
      batch: 0,
      evaluationDue: false,
      logBytes: 0,
      pendingLosses: [],
      schedule: this.#schedule.state(),
      trainingSeconds: 0,
      wallSeconds: 0,
      evaluationSeconds: 0,
      savingSeconds: 0,
      processorSeconds: 0,
      images: 0,
      threads: resolved.threads,
    };
    if (state) this.#restore(state);
    this.#earlierSeconds = this.#position.wallSeconds;
    this.#earlierProcessorSeconds = this.#position.processorSeconds;
  }

  get position(): Position {
    return this.#position;
  }

  /** The best network so far, by name. */
  get best(): ReadonlyMap<string, Tensor | StoredTensor> {
    return this.#best;
  }

  /** Seconds of all sessions together. */
  get wallSeconds(): number {
    return this.#earlierSeconds + (performance.now() - this.#parts.startedAt) / 1000;
  }

  /** Processor time of all threads and sessions; absent where a session did not count it. */
  get processorSeconds(): number | undefined {
    if (this.#earlierProcessorSeconds === undefined) return undefined;
    const { user, system } = process.cpuUsage(this.#parts.startedProcessor);
    return this.#earlierProcessorSeconds + (user + system) / 1e6;
  }

  /**
   * Trains until the end of training.
   * @throws TrainingStopped at a step boundary, with the state saved, once the signal is aborted.
   */
  async run(): Promise<void> {
    const { trainLoader, model, resolved } = this.#parts;
    if (this.#position.ended !== undefined) return;
    model.train();
    this.#clock = performance.now();
    if (this.#position.evaluationDue) await this.#evaluate();
    this.#endWhereDue();
    while (this.#position.ended === undefined) {
      const { epoch, batch: firstBatch } = this.#position;
      for await (const batch of trainLoader.epoch(epoch, firstBatch)) {
        const { iteration } = this.#position;
        try {
          this.#stepper.step(batch, this.#schedule.rate(iteration), iteration);
          this.#advance(batch.indices.length, resolved.iterationsPerEpoch);
        } finally {
          batch.dispose();
        }
        await this.#afterStep();
        if (this.#position.ended !== undefined) break;
      }
    }
    await this.#save();
  }

  /** Frees what training needed; the network is not the trainer's to free. */
  [Symbol.dispose](): void {
    this.#stepper.dispose();
    disposeAll(this.#best);
  }

  /** Counts a step. */
  #advance(images: number, perEpoch: number): void {
    const position = this.#position;
    const done = position.batch + 1;
    const { evaluationsPerEpoch } = this.#parts.training;
    position.iteration += 1;
    position.images += images;
    position.evaluationDue = evaluationIsDue(done, perEpoch, evaluationsPerEpoch);
    position.epoch += done === perEpoch ? 1 : 0;
    position.batch = done === perEpoch ? 0 : done;
  }

  /** Epochs done, with their parts. */
  get #epochs(): number {
    const { epoch, batch } = this.#position;
    return epoch + batch / this.#parts.resolved.iterationsPerEpoch;
  }

  async #afterStep(): Promise<void> {
    const { training, resolved, onEvent, afterStep, signal } = this.#parts;
    const position = this.#position;
    const { iteration } = position;
    this.#stopClock();
    if (iteration >= resolved.maxIterations) position.evaluationDue = true;
    if (iteration % training.logEvery === 0 || position.evaluationDue) await this.#logLosses();
    onEvent({
      kind: 'step',
      iteration,
      maxIterations: resolved.maxIterations,
      loss: this.#latestLoss,
      best: position.best?.evaluation.primary.value,
    });
    afterStep(position);
    if (position.evaluationDue) {
      await this.#evaluate();
      afterStep(position);
    }
    this.#endWhereDue();
    const sinceSaved = (performance.now() - this.#savedAt) / 1000;
    if (position.ended === undefined && sinceSaved >= training.checkpointSeconds) {
      await this.#save();
    }
    // Signals are delivered between turns of the event loop; a chain of awaits alone makes no turn.
    await nextTurn();
    if (signal?.aborted && position.ended === undefined) {
      await this.#save();
      throw new TrainingStopped();
    }
  }

  /** Ends the training at its last iteration. */
  #endWhereDue(): void {
    const { training, resolved } = this.#parts;
    const position = this.#position;
    if (position.ended !== undefined || position.iteration < resolved.maxIterations) return;
    const epochsDone = position.iteration >= training.maxEpochs * resolved.iterationsPerEpoch;
    position.ended = epochsDone ? 'maxEpochs' : 'maxIterations';
  }

  async #logLosses(): Promise<void> {
    const { iteration } = this.#position;
    const losses = this.#stepper.takeLosses(iteration);
    if (losses.length === 0) return;
    this.#latestLoss = mean(losses);
    const learningRate = this.#schedule.rate(iteration - 1);
    await this.#log({
      kind: 'train',
      iteration,
      epoch: this.#epochs,
      learningRate,
      loss: this.#latestLoss,
    });
  }

  async #log(line: Parameters<RunLog['append']>[0]): Promise<void> {
    this.#parts.assertOwned();
    await this.#parts.log.append(line);
    this.#parts.onEvent({ kind: 'log', line });
  }

  /** Evaluates the validation split, keeps the network where it is the best, and moves the schedule. */
  async #evaluate(): Promise<void> {
    const { model, validationLoader, resolved, task, signal } = this.#parts;
    const position = this.#position;
    this.#stopClock();
    let evaluation: Evaluation;
    try {
      const predictions = await predict(model, validationLoader, {
        device: resolved.device,
        precision: resolved.precision,
        stopRequested: () => signal?.aborted === true,
      });
      evaluation = evaluate(predictions, task);
    } catch (error) {
      if (!(error instanceof PredictionStopped)) throw error;
      this.#count('evaluationSeconds');
      await this.#save();
      throw new TrainingStopped();
    }
    const { iteration } = position;
    const { value, reason } = evaluation.primary;
    const bestValue = position.best?.evaluation.primary.value ?? Number.NEGATIVE_INFINITY;
    const isBest = position.best === undefined || (value !== undefined && value > bestValue);
    if (isBest) {
      position.best = { iteration, evaluation: asStored(evaluation) };
      this.#takeBest();
    }
    const learningRate = this.#schedule.rate(Math.max(0, iteration - 1));
    const schedule = this.#schedule.observe(value, iteration);
    if (schedule === 'stop') position.ended = 'plateau';
    position.evaluationDue = false;
    const { metric, loss, metrics } = evaluation;
    const values = { ...(value === undefined ? {} : { value }), ...(reason ? { reason } : {}) };
    await this.#log({
      kind: 'evaluation',
      iteration,
      epoch: this.#epochs,
      learningRate,
      loss,
      metric,
      ...values,
      metrics,
      best: isBest,
      schedule,
    });
    this.#count('evaluationSeconds');
  }

  /** Copies the network as it is now. */
  #takeBest(): void {
    disposeAll(this.#best);
    const state = [...this.#parts.model.state()];
    this.#best = scope(() => {
      const copy = (tensor: Tensor): Tensor => tensor.detach().to({ device: 'cpu', copy: true });
      return keep(new Map(state.map(([name, tensor]) => [name, copy(tensor)])));
    });
  }

  #stopClock(): void {
    const now = performance.now();
    this.#position.trainingSeconds += (now - this.#clock) / 1000;
    this.#clock = now;
  }

  /** Counts the time since the clock of training stopped as another's, and starts it again. */
  #count(kind: 'evaluationSeconds' | 'savingSeconds'): void {
    const now = performance.now();
    const before = this.#position[kind];
    if (before !== undefined) this.#position[kind] = before + (now - this.#clock) / 1000;
    this.#clock = now;
  }

  async #save(): Promise<void> {
    const { log, model, resolved, save, onEvent, assertOwned } = this.#parts;
    const position = this.#position;
    assertOwned();
    this.#stopClock();
    position.pendingLosses = [...this.#stepper.readLosses(position.iteration)];
    position.schedule = { ...this.#schedule.state() };
    position.wallSeconds = this.wallSeconds;
    position.processorSeconds = this.processorSeconds;
    position.threads = resolved.threads;
    position.logBytes = log.bytes;
    await log.sync();
    const optimiser = this.#stepper.optimiser.state();
    try {
      await save({
        position,
        model: model.state(),
        optimiser,
        best: this.#best,
        random: getRandomState(resolved.device),
      });
    } finally {
      for (const [name, tensor] of optimiser) if (name.endsWith('.step')) tensor.dispose();
    }
    onEvent({ kind: 'saved', iteration: position.iteration });
    this.#count('savingSeconds');
    this.#savedAt = performance.now();
  }

  #restore(state: RunState): void {
    const where = 'state to resume from';
    restoreTensors(this.#parts.model.state(), state.model, where);
    const optimiser = asTensors(state.optimiser);
    this.#stepper.optimiser.load(optimiser);
    disposeAll(optimiser);
    this.#position = structuredClone(state.position);
    this.#schedule.load(state.position.schedule);
    this.#stepper.restoreLosses(state.position.pendingLosses);
    this.#best = state.best;
    setRandomState(state.random, this.#parts.resolved.device);
  }
}

/** A copy without what JSON cannot carry (`undefined`) and without shared parts. */
function asStored(evaluation: Evaluation): NonNullable<Position['best']>['evaluation'] {
  return JSON.parse(JSON.stringify(evaluation));
}

function disposeAll(tensors: ReadonlyMap<string, Tensor | StoredTensor>): void {
  for (const tensor of tensors.values()) if ('dispose' in tensor) tensor.dispose();
}
