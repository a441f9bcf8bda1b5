/**
 * Batch norm in training, with the sum of a shortcut and the ReLU that follow it, in as few passes over memory as
 * they need, from the addon of native/normalisation/. On the processor; LibTorch's own give the same up to rounding.
 */
import { loadExtension } from './extensions.ts';
import { invoke, Operator } from './operator.ts';
import { one } from './results.ts';
import type { Tensor } from './tensor.ts';

const operator = new Operator('carryover::batch_norm');
const isLoaded = loadExtension('normalisation') !== undefined;

export interface TrainingBatchNorm {
  /** [B, C, H, W] */
  input: Tensor;
  /** Of the input's shape: added before the ReLU. */
  shortcut: Tensor | undefined;
  /** [C], as are bias and the running statistics, which move by `momentum`. */
  weight: Tensor;
  bias: Tensor;
  runningMean: Tensor;
  runningVariance: Tensor;
  momentum: number;
  epsilon: number;
  relu: boolean;
}

/** Whether `trainingBatchNorm` is there: built, and not switched off by `CARRYOVER_NORMALISATION=0`. */
export function hasTrainingBatchNorm(): boolean {
  return isLoaded;
}

/** ReLU (where asked for) of the batch-normalised input plus the shortcut: [B, C, H, W]. First derivatives only. */
export function trainingBatchNorm(norm: TrainingBatchNorm): Tensor {
  return one(
    invoke(
      operator,
      norm.input.handle,
      norm.shortcut?.handle,
      norm.weight.handle,
      norm.bias.handle,
      norm.runningMean.handle,
      norm.runningVariance.handle,
      norm.momentum,
      norm.epsilon,
      norm.relu,
    ),
  );
}
