/** A step of Adam on the processor in one pass over memory, from the addon of native/adam/. */
import { loadExtension } from './extensions.ts';
import { handlesOf } from './modes.ts';
import { invoke, Operator } from './operator.ts';
import type { Tensor } from './tensor.ts';

const step = new Operator('carryover::adam_');
const isLoaded = loadExtension('adam') !== undefined;

export interface ProcessorAdamStep {
  parameters: readonly Tensor[];
  /** They stay, times the scale. */
  gradients: readonly Tensor[];
  /** A float32 scalar. */
  gradientScale: Tensor | undefined;
  first: readonly Tensor[];
  second: readonly Tensor[];
  /** Steps taken with this one. */
  step: number;
  learningRate: number;
  betas: readonly [number, number];
  weightDecay: number;
  epsilon: number;
  /** Weight decay shrinks the parameter (AdamW), in place of being added to the gradient. */
  isDecoupled: boolean;
}

/** Whether `processorAdam` is there: built, and not switched off by `CARRYOVER_ADAM=0`. */
export function hasProcessorAdam(): boolean {
  return isLoaded;
}

/**
 * One step of Adam or AdamW on float32 tensors of the processor: what `torch.optim.Adam` does, up to rounding.
 * @returns false, with nothing done, where a tensor is of another type or a parameter, its gradient and its
 *   moments do not lie alike in memory
 */
export function processorAdam(options: ProcessorAdamStep): boolean {
  const { parameters, gradients, first, second, betas } = options;
  return (
    invoke(
      step,
      handlesOf(parameters),
      handlesOf(gradients),
      handlesOf(first),
      handlesOf(second),
      options.gradientScale?.handle,
      options.learningRate,
      ...betas,
      options.epsilon,
      options.weightDecay,
      options.step,
      options.isDecoupled,
    ) === true
  );
}
