import { gelu, Linear, Module } from '../nn/index.ts';
import type { Tensor } from '../tensor/index.ts';

/** The perceptron of a transformer block, four times as wide inside, with timm's names. */
export class Perceptron extends Module {
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(width: number) {
    super();
    this.#fc1 = this.child('fc1', new Linear(width, 4 * width));
    this.#fc2 = this.child('fc2', new Linear(4 * width, width));
  }

  /** [..., D] to the same shape. */
  forward(tokens: Tensor): Tensor {
    return this.#fc2.forward(gelu(this.#fc1.forward(tokens)));
  }
}
