import {
  gradientsOf,
  multiplyAll_,
  noGrad,
  ops,
  scope,
  type Tensor,
  tensor,
} from '../tensor/index.ts';

/**
 * Scales the gradients in place so that their joint Euclidean norm is at most `maximum`, as
 * `torch.nn.utils.clip_grad_norm_`: by min(1, maximum / (norm + 1e-6)). Parameters without a gradient are
 * left out. All stays on the device: nothing waits for the value.
 *
 * @returns the norm before clipping, a scalar; 0 where no parameter has a gradient.
 */
export function clipGradientNorm(parameters: Iterable<Tensor>, maximum: number): Tensor {
  return scope(() => {
    const found = gradientsOf([...parameters]).filter((gradient) => gradient !== undefined);
    return found.length === 0 ? tensor(0) : clipToNorm(found, maximum);
  });
}

/** The same on gradients in hand, which must not be empty. */
export function clipToNorm(found: readonly Tensor[], maximum: number): Tensor {
  return scope(() =>
    noGrad(() => {
      const { total, factor } = clipFactor(found, maximum);
      multiplyAll(found, factor);
      return total;
    }),
  );
}

/** The joint norm of some gradients and what they are to be multiplied by, scalars on their device. */
export function clipFactor(
  found: readonly Tensor[],
  maximum: number,
): { total: Tensor; factor: Tensor } {
  const total = ops.norm(ops.stack(ops._foreachNorm(found)));
  const inverse = ops.reciprocal(ops.add(total, 1e-6));
  return { total, factor: ops.clamp(ops.mul(inverse, maximum), undefined, 1) };
}

/** Multiplies tensors in place by a scalar on their device. */
export function multiplyAll(tensors: readonly Tensor[], factor: Tensor): void {
  // A list of factors is one kernel a tensor on a GPU; one factor for all is a few.
  if (factor.device !== 'cpu' && multiplyAll_(tensors, factor)) return;
  ops._foreachMul_(
    tensors,
    tensors.map(() => factor),
  );
}
