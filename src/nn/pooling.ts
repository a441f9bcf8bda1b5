import { ops, type Tensor } from '../tensor/index.ts';
import { Layer } from './module.ts';
import { asPair, type Pair } from './pair.ts';

export interface PoolingOptions {
  /** The kernel's size if not given. */
  stride?: Pair;
  padding?: Pair;
  /** Whether a last window that only partly fits counts. */
  ceilMode?: boolean;
}

/** The maximum over windows, as `torch.nn.MaxPool2d`: [B, C, H, W] to [B, C, H', W']. */
export class MaxPool2d extends Layer {
  readonly #kernel: [number, number];
  readonly #stride: [number, number];
  readonly #padding: [number, number];
  readonly #ceilMode: boolean;

  constructor(kernel: Pair, { stride, padding = 0, ceilMode = false }: PoolingOptions = {}) {
    super();
    this.#kernel = asPair(kernel);
    this.#stride = asPair(stride ?? kernel);
    this.#padding = asPair(padding);
    this.#ceilMode = ceilMode;
  }

  override forward(input: Tensor): Tensor {
    return ops.maxPool2d(input, this.#kernel, this.#stride, this.#padding, [1, 1], this.#ceilMode);
  }
}

/**
 * The mean over height and width, [B, C, H, W] to [B, C]: `AdaptiveAvgPool2d(1)` and a flatten in one.
 */
export function globalAveragePool(input: Tensor): Tensor {
  return ops.flatten(ops.adaptiveAvgPool2d(input, [1, 1]), 1);
}
