/**
 * Colour adjustments of one image as torchvision's functional transforms define them for floating
 * point: `x` is [3, H, W] with values from 0 to 1.
 */
import { fromTypedArray, ops, type Tensor } from '../../tensor/index.ts';
import type { Adjustment, ColourChange } from './draw.ts';

/** `changes` applied in their order; a new tensor. To be called within a `scope`. */
export function adjustColour(x: Tensor, changes: ColourChange): Tensor {
  return changes.reduce((image, { adjustment, amount }) => adjusters[adjustment](image, amount), x);
}

const adjusters: Record<Adjustment, (x: Tensor, amount: number) => Tensor> = {
  /** Towards black (0) or brighter (above 1). */
  brightness: (x, factor) => ops.clamp_(ops.mul(x, factor), 0, 1),
  /** Towards the mean grey of the image. */
  contrast: (x, factor) => blend(x, ops.mean(grey(x)), factor),
  /** Towards its own grey. */
  saturation: (x, factor) => blend(x, grey(x), factor),
  hue: adjustHue,
};

/** factor · x + (1 - factor) · other, kept within 0 and 1. */
function blend(x: Tensor, other: Tensor, factor: number): Tensor {
  return ops.clamp_(ops.add_(ops.mul(x, factor), ops.mul(other, 1 - factor)), 0, 1);
}

/** Luma of ITU-R 601-2 with torchvision's coefficients, [1, H, W]. */
function grey(x: Tensor): Tensor {
  const [red, green, blue] = ops.split(x, 1);
  if (!red || !green || !blue) throw new RangeError('three channels expected');
  const sum = ops.mul(red, 0.2989);
  ops.add_(sum, green, { alpha: 0.587 });
  return ops.add_(sum, blue, { alpha: 0.114 });
}

/**
 * Turns the hue by `shift` circles. With the largest channel M, the spread c of the channels and the
 * hue h in sixths of the circle, the colour of hue h has the channels M - c · clamp(min(k, 4 - k), 0, 1)
 * where k = (n + h) mod 6 and n = 5, 3, 1 for red, green, blue: HSV there and back in one formula.
 */
function adjustHue(x: Tensor, shift: number): Tensor {
  const [red, green, blue] = ops.split(x, 1);
  if (!red || !green || !blue) throw new RangeError('three channels expected');
  const largest = ops.amax(x, [0], true);
  const spread = ops.sub(largest, ops.amin(x, [0], true));
  // Grey has no hue; any divisor will do, as its spread is 0.
  const divisor = ops.clamp(spread, 1e-12);
  const fromRed = ops.div(ops.sub(green, blue), divisor);
  const fromGreen = ops.add(ops.div(ops.sub(blue, red), divisor), 2);
  const fromBlue = ops.add(ops.div(ops.sub(red, green), divisor), 4);
  const hue = ops.where(
    ops.eq(red, largest),
    fromRed,
    ops.where(ops.eq(green, largest), fromGreen, fromBlue),
  );
  const offsets = Float32Array.of(5 + 6 * shift, 3 + 6 * shift, 1 + 6 * shift);
  const k = ops.add(fromTypedArray(offsets, [3, 1, 1], { device: x.device }), hue);
  // The remainder by 6, which as an operator of its own is many times slower.
  ops.sub_(k, ops.floor(ops.mul(k, 1 / 6)), { alpha: 6 });
  const part = ops.clamp_(ops.minimum(k, ops.add_(ops.neg(k), 4)), 0, 1);
  return ops.sub(largest, ops.mul_(part, spread));
}
