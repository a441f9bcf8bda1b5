import { gradients, ops, type Tensor } from '../../src/tensor/index.ts';

/** Numbers from the normal distribution. */
export const random = (...shape: number[]): Tensor => ops.normal_(ops.zeros(shape));

/** The greatest difference, in units of the greatest value. */
export function difference(found: Tensor, expected: Tensor): number {
  const wide = expected.to({ dtype: 'float64' });
  const greatest = ops.max(ops.abs(ops.sub(found.to({ dtype: 'float64' }), wide))).item();
  return greatest / ops.max(ops.abs(wide)).item();
}

/** The result, and the gradients of its sum weighted by `weighting` by each of the inputs, which stay as they are. */
export function pass(
  compute: (...inputs: Tensor[]) => Tensor,
  given: readonly Tensor[],
  weighting: Tensor,
): Tensor[] {
  const inputs = given.map((each) => {
    const leaf = each.detach();
    leaf.requiresGrad = true;
    return leaf;
  });
  const result = compute(...inputs);
  const found = gradients([result], inputs, { outputGradients: [weighting] });
  return [result.detach(), ...found.map((each) => each as Tensor)];
}
