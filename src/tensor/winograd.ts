/**
 * 3 × 3 convolutions by Winograd's method, from the addon of native/winograd/. LibTorch's own direct convolutions
 * give the same up to rounding.
 */
import { loadExtension } from './extensions.ts';
import { invoke, Operator } from './operator.ts';
import { one } from './results.ts';
import type { Tensor } from './tensor.ts';

interface WinogradAddon {
  /** Of oneDNN. */
  version: string;
}

const convolution = new Operator('carryover::convolution_3x3');

const addon = loadExtension<WinogradAddon>('winograd');

/** How 3 × 3 convolutions are computed in float32 on the processor, for records and people. */
export function convolutionMethod(): string {
  return addon ? `Winograd, oneDNN ${addon.version}` : 'direct';
}

/** Whether `convolution3x3` is there: built, and not switched off by `CARRYOVER_WINOGRAD=0`. */
export function hasWinograd(): boolean {
  return addon !== undefined;
}

/**
 * `torch.nn.functional.conv2d` of stride 1, by Winograd's method in float32 on the processor outside autocast,
 * where it is the faster one; else by `aten::conv2d`. First derivatives only.
 * @param input [B, inputs, H, W]
 * @param weight [outputs, inputs, 3, 3]
 * @param padding 0 or 1
 */
export function convolution3x3(input: Tensor, weight: Tensor, padding: number): Tensor {
  return one(invoke(convolution, input.handle, weight.handle, padding));
}
