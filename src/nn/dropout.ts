import { ops, type Tensor } from '../tensor/index.ts';
import { Layer } from './module.ts';

/**
 * In training, zeroes each element with the given probability and scales the others by
 * 1 / (1 - probability); in evaluation, the identity. Draws come from LibTorch's default generator, so
 * that `manualSeed` and the random state saved for a resume govern them.
 */
export class Dropout extends Layer {
  readonly probability: number;

  constructor(probability: number) {
    super();
    if (!(probability >= 0 && probability <= 1)) {
      throw new Error(`A dropout probability lies in [0, 1]; ${probability} does not.`);
    }
    this.probability = probability;
  }

  override forward(input: Tensor): Tensor {
    if (!this.training || this.probability === 0) return input;
    return ops.dropout(input, this.probability, true);
  }
}
