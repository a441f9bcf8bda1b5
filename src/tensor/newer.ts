/** Operators of newer LibTorchs than the oldest that is supported: to be called where they are there. */
import { handlesOf } from './modes.ts';
import { native } from './native.ts';
import { invoke, Operator } from './operator.ts';
import type { Tensor } from './tensor.ts';

const multiply = new Operator('aten::_foreach_mul_', 'Tensor');

/** Rules of `fusedAdam`, by ATen's name of the operator. */
const fused = {
  adam: new Operator('aten::_fused_adam_'),
  adamw: new Operator('aten::_fused_adamw_'),
};

/** Whether this LibTorch has an operator; it is looked for once. */
function has(operator: Operator): boolean {
  const { name, overload } = operator;
  try {
    if (operator.id < 0) operator.id = native.operator(name, overload);
    return true;
  } catch {
    return false;
  }
}

/**
 * Multiplies all tensors by a scalar on their device, in a few kernels.
 * @returns false, with nothing done, where LibTorch is older than 2.1
 */
export function multiplyAll_(tensors: readonly Tensor[], factor: Tensor): boolean {
  if (!has(multiply)) return false;
  invoke(multiply, handlesOf(tensors), factor.handle);
  return true;
}

export interface FusedAdamStep {
  /** `adam`: weight decay is added to the gradient; `adamw`: it shrinks the parameter. */
  rule: keyof typeof fused;
  parameters: readonly Tensor[];
  gradients: readonly Tensor[];
  first: readonly Tensor[];
  second: readonly Tensor[];
  /** Steps taken with this one, a float32 scalar on the device. */
  step: Tensor;
  learningRate: number;
  betas: readonly [number, number];
  weightDecay: number;
  epsilon: number;
}

/**
 * One step of Adam or AdamW that reads and writes every number once, in a few kernels. Parameters, gradients
 * and moments must lie alike in memory, as autograd and `zerosLike` make them.
 * @returns false, with nothing done, where LibTorch is older than 2.0
 */
export function fusedAdam({ rule, ...step }: FusedAdamStep): boolean {
  const operator = fused[rule];
  if (!has(fused.adamw)) return false;
  invoke(
    operator,
    handlesOf(step.parameters),
    handlesOf(step.gradients),
    handlesOf(step.first),
    handlesOf(step.second),
    new Float64Array(),
    handlesOf(step.parameters.map(() => step.step)),
    step.learningRate,
    ...step.betas,
    step.weightDecay,
    step.epsilon,
    false,
    false,
  );
  return true;
}
