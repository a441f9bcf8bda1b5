/** How far a tap's weights are from where they were (METHODS: ℓ2; the paper's appendix D). */
import { type ImageModel, owns, tensorRoles } from '../models/index.ts';
import { ops, scope, type Tensor } from '../tensor/index.ts';

export interface TapDrift {
  tap: string;
  /** Numbers in the tap's convolution and linear tensors; norms do not count. */
  weights: number;
  /** ‖w − w₀‖₂ of all of them as one vector. */
  norm: number;
  /** `norm` over `weights`, what the paper draws. */
  distance: number;
  /** ‖w₀‖₂, for a sense of scale. */
  initialNorm: number;
}

/** The names of a tap's convolution and linear tensors, weights and biases. */
export function driftingNames(model: ImageModel, tap: string): string[] {
  const roles = tensorRoles(model);
  const { prefixes } = model.tap(tap);
  return [...roles].flatMap(([name, { layer }]) =>
    owns(prefixes, name) && (layer === 'convolution' || layer === 'linear') ? [name] : [],
  );
}

/**
 * The drift of every tap, in float64.
 * @param model tells which tensors a tap has; its own values are not read.
 * @param before, after tensors by the model's names, of equal shapes.
 */
export function weightDrift(
  model: ImageModel,
  before: ReadonlyMap<string, Tensor>,
  after: ReadonlyMap<string, Tensor>,
): TapDrift[] {
  return model.taps.map(({ name: tap }) => {
    let weights = 0;
    let squares = 0;
    let initialSquares = 0;
    for (const name of driftingNames(model, tap)) {
      const [first, second] = [before.get(name), after.get(name)];
      if (!first || !second) throw new Error(`${model.id}: no tensor ${name}`);
      weights += first.elementCount;
      scope(() => {
        const start = asFloat64(first);
        const difference = ops.sub(asFloat64(second), start);
        squares += ops.sum(ops.mul(difference, difference)).item();
        initialSquares += ops.sum(ops.mul(start, start)).item();
      });
    }
    const norm = Math.sqrt(squares);
    return { tap, weights, norm, distance: norm / weights, initialNorm: Math.sqrt(initialSquares) };
  });
}

function asFloat64(tensor: Tensor): Tensor {
  return tensor.detach().to({ device: 'cpu', dtype: 'float64' });
}
