import { convolution, hasConvolution, ops, type Tensor } from '../tensor/index.ts';
import { Layer } from './module.ts';
import { asPair, type Pair } from './pair.ts';

export interface ConvolutionOptions {
  stride?: Pair;
  padding?: Pair;
  dilation?: Pair;
  groups?: number;
  bias?: boolean;
}

/**
 * Two-dimensional cross-correlation, as `torch.nn.Conv2d`: weight [outputs, inputs / groups, height, width],
 * bias [outputs]. Both are zero until an initialiser fills them.
 */
export class Conv2d extends Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly #stride: [number, number];
  readonly #padding: [number, number];
  readonly #dilation: [number, number];
  readonly #groups: number;
  /** Whether it is one that there can be a faster way for. */
  readonly #isPlain: boolean;

  constructor(inputs: number, outputs: number, kernel: Pair, options: ConvolutionOptions = {}) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    if (inputs % groups !== 0 || outputs % groups !== 0) {
      throw new Error(`${groups} groups do not divide ${inputs} inputs and ${outputs} outputs.`);
    }
    this.weight = this.parameter(
      'weight',
      ops.zeros([outputs, inputs / groups, ...asPair(kernel)]),
    );
    this.bias = bias ? this.parameter('bias', ops.zeros([outputs])) : undefined;
    this.#stride = asPair(stride);
    this.#padding = asPair(padding);
    this.#dilation = asPair(dilation);
    this.#groups = groups;
    const all = (pair: Pair, value: number) => asPair(pair).every((each) => each === value);
    const is3x3 = all(kernel, 3) && (all(padding, 0) || all(padding, 1));
    const is1x1 = all(kernel, 1) && all(padding, 0);
    this.#isPlain =
      hasConvolution() &&
      (is3x3 || is1x1) &&
      all(stride, 1) &&
      all(dilation, 1) &&
      groups === 1 &&
      !bias;
  }

  /** [B, inputs, H, W] to [B, outputs, H', W']. */
  override forward(input: Tensor): Tensor {
    if (this.#isPlain) return convolution(input, this.weight, this.#padding[0]);
    return ops.conv2d(
      input,
      this.weight,
      this.bias,
      this.#stride,
      this.#padding,
      this.#dilation,
      this.#groups,
    );
  }
}
