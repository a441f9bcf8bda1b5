import { expect } from 'vitest';
import { backward, noGrad, type Tensor, tensor } from '../../src/tensor/index.ts';

/** Compares the gradient of a scalar function of a float64 tensor with central differences, element by element. */
export function expectGradients(input: Tensor, loss: (input: Tensor) => Tensor): void {
  const step = 1e-5;
  const values = input.toArray();
  const at = (changed: number[]) =>
    noGrad(() => loss(tensor(changed, { shape: input.shape, dtype: 'float64' })).item());
  const numeric = values.map((value, index) => {
    const [above, below] = [values.with(index, value + step), values.with(index, value - step)];
    return (at(above) - at(below)) / (2 * step);
  });
  input.requiresGrad = true;
  backward(loss(input));
  expect(input.grad?.toArray() ?? []).toBeAllclose(numeric, { relative: 1e-6, absolute: 1e-8 });
}
