/**
 * Normalisation in as few passes over memory as it needs, from the addon of native/normalisation/: batch norm in
 * training, with the sum of a shortcut and the ReLU that follow it; layer norm from one type to another. On the
 * processor; LibTorch's own give the same up to rounding.
 */
import { type DType, dtypeCode } from './dtype.ts';
import { loadExtension } from './extensions.ts';
import { invoke, Operator } from './operator.ts';
import { one } from './results.ts';
import type { Tensor } from './tensor.ts';

const batchNorm = new Operator('carryover::batch_norm');
const layerNorm = new Operator('carryover::layer_norm');
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

/** Whether the addon is there: built, and not switched off by `CARRYOVER_NORMALISATION=0`. */
export function hasNormalisation(): boolean {
  return isLoaded;
}

/** ReLU (where asked for) of the batch-normalised input plus the shortcut: [B, C, H, W]. First derivatives only. */
export function trainingBatchNorm(norm: TrainingBatchNorm): Tensor {
  return one(
    invoke(
      batchNorm,
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

/**
 * `torch.nn.functional.layer_norm` over the last dimension, of an input of any float type, to `dtype`. First
 * derivatives only.
 * @param input [..., features]
 * @param weight [features], as is bias
 */
export function mixedLayerNorm(
  input: Tensor,
  weight: Tensor,
  bias: Tensor,
  epsilon: number,
  dtype: DType,
): Tensor {
  return one(
    invoke(layerNorm, input.handle, weight.handle, bias.handle, epsilon, dtypeCode(dtype)),
  );
}
