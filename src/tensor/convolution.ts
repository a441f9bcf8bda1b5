/**
 * Convolutions of stride 1 on the processor, from the addon of native/convolution/: 3 × 3 by Winograd's method, and
 * a faster way back for 1 × 1. LibTorch's own give the same up to rounding.
 */
import { loadExtension } from './extensions.ts';
import { invoke, Operator } from './operator.ts';
import { one } from './results.ts';
import type { Tensor } from './tensor.ts';

interface ConvolutionAddon {
  /** Whose products of matrices it calls; empty where there are none that are fast. */
  products: string;
}

const operator = new Operator('carryover::convolution');

const addon = loadExtension<ConvolutionAddon>('convolution', ({ products }) =>
  products ? `products by ${products}` : 'no fast products',
);

/**
 * Whether `convolution` is there: built, not switched off by `CARRYOVER_CONVOLUTION=0`, and with products of
 * matrices in the process that it can call.
 */
export function hasConvolution(): boolean {
  return Boolean(addon?.products);
}

/**
 * `torch.nn.functional.conv2d` of stride 1 without bias, by the way that is fastest on the processor: what has no
 * faster one, and all of it on other devices, is `aten::conv2d`. First derivatives only.
 * @param input [B, inputs, H, W]
 * @param weight [outputs, inputs, height, width]
 * @param padding on each side
 */
export function convolution(input: Tensor, weight: Tensor, padding: number): Tensor {
  return one(invoke(operator, input.handle, weight.handle, padding));
}
