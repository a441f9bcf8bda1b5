/** The first training steps as scripts/golden/train_losses.py runs them in PyTorch, run by this project. */
import type { Batch } from '../../src/data/index.ts';
import { outputCount } from '../../src/eval/index.ts';
import { createModel } from '../../src/models/index.ts';
import { trainingSchema } from '../../src/results/index.ts';
import { keep, tensor } from '../../src/tensor/index.ts';
import { Stepper } from '../../src/train/stepper.ts';
import { fill, images } from '../models/formula.ts';

export interface ParityCase {
  name: string;
  model: string;
  size: number;
  batch: number;
  optimizer: 'adam' | 'adamw';
  learningRate: number;
  weightDecay: number;
  clipNorm: number | null;
  task: 'multiclass' | 'multilabel' | 'binary';
  /** PyTorch's loss of each step. */
  losses: number[];
}

export interface ParityFile {
  torch: string;
  classes: number;
  cases: ParityCase[];
}

/** A few images a step and no losses of PyTorch, for what is counted rather than compared. */
export function smallCase(model: string, task: ParityCase['task'] = 'multiclass'): ParityCase {
  return {
    name: model,
    model,
    size: 64,
    batch: 2,
    optimizer: 'adamw',
    learningRate: 1e-4,
    weightDecay: 1e-5,
    clipNorm: 1,
    task,
    losses: [],
  };
}

/** Labels by formula, as in the script. */
function labelsOf(parity: ParityCase, step: number, classes: number): Batch['labels'] {
  const rows = Array.from({ length: parity.batch }, (_, index) => index);
  switch (parity.task) {
    case 'multiclass':
      return tensor(
        rows.map((i) => (3 * i + 5 * step) % classes),
        { dtype: 'int64' },
      );
    case 'binary':
      return tensor(
        rows.map((i) => (i + step) % 2),
        { dtype: 'int64' },
      );
    case 'multilabel': {
      const columns = Array.from({ length: classes }, (_, index) => index);
      const values = rows.flatMap((i) => columns.map((j) => Number((i + j + step) % 3 === 0)));
      return tensor(values, { shape: [parity.batch, classes] });
    }
  }
}

/** One batch by formula. */
export function batchOf(parity: ParityCase, step: number, classes: number): Batch {
  const { batch, size, model } = parity;
  const format = model.startsWith('deit') ? 'contiguous' : 'channelsLast';
  const pictures = images(batch, size, `input${step}`);
  const placed = pictures.contiguous(format);
  if (placed !== pictures) pictures.dispose();
  const labels = labelsOf(parity, step, classes);
  keep([placed, labels]);
  return {
    images: placed,
    labels,
    indices: Array.from({ length: batch }, (_, index) => index),
    dispose() {
      placed.dispose();
      labels.dispose();
    },
  };
}

/** A network with weights by formula, and what steps it, in float32 on the CPU. */
export function stepperOf(
  parity: ParityCase,
  classes: number,
): { stepper: Stepper; dispose: () => void } {
  const { task, optimizer, learningRate, weightDecay, clipNorm } = parity;
  const outputs = outputCount(task, classes);
  const model = fill(createModel(parity.model, { classes: outputs, imageSize: parity.size }));
  const stepper = new Stepper({
    model: model.train(),
    task,
    training: trainingSchema.parse({ weightDecay, clipNorm }),
    resolved: { device: 'cpu', precision: 'fp32', optimizer, learningRate },
  });
  const dispose = (): void => {
    stepper.dispose();
    model.dispose();
  };
  return { stepper, dispose };
}

/** Our loss of each step. */
export function lossesOf(parity: ParityCase, classes: number): number[] {
  const { stepper, dispose } = stepperOf(parity, classes);
  for (const step of parity.losses.keys()) {
    const batch = batchOf(parity, step, classes);
    stepper.step(batch, parity.learningRate, step);
    batch.dispose();
  }
  const losses = [...stepper.takeLosses(parity.losses.length)];
  dispose();
  return losses;
}

/** The largest difference of two lists, relative to the second. */
export function largestRelativeError(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  const errors = theirs.map((value, index) => Math.abs((ours[index] ?? Number.NaN) / value - 1));
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors);
}
