/** One training step, and the losses of the steps that the log has not yet seen. */
import type { Batch } from '../data/index.ts';
import type { Task } from '../eval/index.ts';
import type { ImageModel } from '../models/index.ts';
import {
  Adam,
  AdamW,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  decayGroups,
} from '../nn/index.ts';
import type { Resolved, TrainingSettings } from '../results/index.ts';
import {
  autocast,
  backward,
  keep,
  noGrad,
  ops,
  scope,
  synchronize,
  type Tensor,
} from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { isOutOfMemory, largestThatFits, outOfMemory } from './outOfMemory.ts';

/** Losses that are held on the device before they are read whatever the log asks for. */
const LOSSES_HELD = 64;

export interface StepperOptions {
  model: ImageModel;
  task: Task;
  /** Whether some labels of a multi-label task are unknown. */
  unknownLabels?: boolean;
  training: TrainingSettings;
  resolved: Pick<Resolved, 'device' | 'precision' | 'optimizer' | 'learningRate'>;
}

/** The optimiser of METHODS: decay on matrices and kernels only, the gradient norm clipped. */
export function createOptimiser({ model, training, resolved }: StepperOptions): Adam {
  const Optimiser = resolved.optimizer === 'adam' ? Adam : AdamW;
  return new Optimiser({
    groups: decayGroups(model.namedParameters(), training.weightDecay),
    learningRate: resolved.learningRate,
    betas: [training.beta1, training.beta2],
    epsilon: training.epsilon,
    clip: training.clipNorm ?? undefined,
  });
}

/**
 * The training loss of a batch, a scalar in float32: cross-entropy, or binary cross-entropy for binary
 * and multi-label tasks.
 * @param logits [B, outputs]. @param labels int64 [B], or float32 [B, outputs] of a multi-label task.
 */
export function trainingLoss(
  logits: Tensor,
  labels: Tensor,
  task: Task,
  unknownLabels = false,
): Tensor {
  const scores = logits.to({ dtype: 'float32' });
  if (task === 'multiclass' || task === 'ordinal') return crossEntropy(scores, labels);
  const targets = labels.to({ dtype: 'float32' });
  const shaped = task === 'binary' ? ops.reshape(targets, [-1, 1]) : targets;
  if (!unknownLabels) return binaryCrossEntropyWithLogits(scores, shaped);
  const known = noGrad(() => ops.ge(shaped, 0).to({ dtype: 'float32' }));
  return binaryCrossEntropyWithLogits(scores, ops.mul(shaped, known), known);
}

/**
 * Steps a network. Nothing in a step waits for the device: losses stay there until they are asked for.
 */
export class Stepper {
  readonly optimiser: Adam;
  readonly #options: StepperOptions;
  /** [LOSSES_HELD] losses of the latest steps, the first `#held` of them valid. */
  readonly #losses: Tensor;
  #held = 0;
  /** Losses that were read but not logged. */
  #pending: number[] = [];

  constructor(options: StepperOptions) {
    this.#options = options;
    this.optimiser = createOptimiser(options);
    this.#losses = keep(ops.zeros([LOSSES_HELD], { device: options.resolved.device }));
  }

  /**
   * One update from one batch. The batch stays the caller's.
   * @param iteration steps done before
   * @throws WorkError where the device has too little memory, with the batch size that would fit; the network
   *   is of no use then.
   */
  step(batch: Batch, learningRate: number, iteration: number): void {
    try {
      this.#step(batch, learningRate, iteration);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      const [images = 0] = batch.images.shape;
      const largest = largestThatFits(images, (count) => this.#hasRoom(batch, count));
      throw outOfMemory(error, { images, largest, device: this.#options.resolved.device });
    }
  }

  /** Whether the first images of a batch can be stepped. */
  #hasRoom(batch: Batch, images: number): boolean {
    this.optimiser.zeroGrad();
    this.#held = 0;
    return scope(() => {
      const part = {
        ...batch,
        images: ops.narrow(batch.images, 0, 0, images),
        labels: ops.narrow(batch.labels, 0, 0, images),
      };
      try {
        this.#step(part, 0, 0);
        synchronize(this.#options.resolved.device);
        return true;
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        return false;
      }
    });
  }

  #step(batch: Batch, learningRate: number, iteration: number): void {
    if (this.#held === LOSSES_HELD) this.#read(iteration);
    const { model, task, unknownLabels, resolved } = this.#options;
    const { device } = resolved;
    this.optimiser.learningRate = learningRate;
    scope(() => {
      const images = batch.images.to({ device });
      const labels = batch.labels.to({ device });
      const enabled = resolved.precision === 'bf16';
      const logits = autocast({ device, dtype: 'bfloat16', enabled }, () => model.forward(images));
      const loss = trainingLoss(logits, labels, task, unknownLabels);
      backward(loss);
      this.optimiser.step();
      this.optimiser.zeroGrad();
      noGrad(() => ops.copy_(ops.select(this.#losses, 0, this.#held), loss.detach()));
    });
    this.#held += 1;
  }

  /**
   * The losses of the steps since the last call of {@link takeLosses}, oldest first, still to be taken.
   * Waits for the device. @param iteration steps done so far.
   * @throws WorkError that names the first step whose loss is no finite number.
   */
  readLosses(iteration: number): readonly number[] {
    this.#read(iteration);
    return this.#pending;
  }

  /** As {@link readLosses}; they count as logged from then on. */
  takeLosses(iteration: number): readonly number[] {
    const losses = this.readLosses(iteration);
    this.#pending = [];
    return losses;
  }

  /** Puts back losses that a state was saved with. */
  restoreLosses(losses: readonly number[]): void {
    this.#pending = [...losses];
    this.#held = 0;
  }

  #read(iteration: number): void {
    if (this.#held === 0) return;
    const losses = this.#losses.toArray().slice(0, this.#held);
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    if (bad >= 0) {
      throw new WorkError({
        where: `training, iteration ${iteration - this.#held + bad + 1}`,
        expected: 'a finite loss',
        got: String(losses[bad]),
        hint: 'lower training.learningRate, or set training.precision=fp32',
      });
    }
    this.#pending.push(...losses);
    this.#held = 0;
  }

  dispose(): void {
    this.optimiser.dispose();
    this.#losses.dispose();
  }
}
