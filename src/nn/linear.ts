import { ops, type Tensor } from '../tensor/index.ts';
import { Layer } from './module.ts';

/**
 * y = x Wᵀ + b over the last dimension, as `torch.nn.Linear`: weight [outputs, inputs], bias [outputs].
 * Both are zero until an initialiser fills them.
 */
export class Linear extends Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  constructor(inputs: number, outputs: number, { bias = true }: { bias?: boolean } = {}) {
    super();
    this.weight = this.parameter('weight', ops.zeros([outputs, inputs]));
    this.bias = bias ? this.parameter('bias', ops.zeros([outputs])) : undefined;
  }

  /** [..., inputs] to [..., outputs]. */
  override forward(input: Tensor): Tensor {
    return ops.linear(input, this.weight, this.bias);
  }
}
