/**
 * Colour adjustments of a batch of images as torchvision's functional transforms define them for floating
 * point: `x` is [N, 3, H, W] with values from 0 to 1. However many images there are, the number of operators
 * is the same: a GPU is not kept waiting for them to be asked for one by one.
 */
import { fromTypedArray, ops, type Tensor } from '../../tensor/index.ts';
import type { Adjustment, ColourChange } from './draw.ts';

/** Each image's own changes applied in their order; a new tensor. To be called within a `scope`. */
export function adjustColours(x: Tensor, changes: readonly ColourChange[]): Tensor {
  const turns = Math.max(0, ...changes.map(({ length }) => length));
  let images = x;
  for (let turn = 0; turn < turns; turn++) {
    images = adjustOnce(
      images,
      changes.map((change) => change[turn]),
    );
  }
  return images;
}

/** One adjustment of each image, or none: those of a kind together. */
function adjustOnce(x: Tensor, changes: readonly (ColourChange[number] | undefined)[]): Tensor {
  const kinds = new Map<Adjustment | undefined, number[]>();
  changes.forEach((change, image) => {
    const members = kinds.get(change?.adjustment) ?? [];
    kinds.set(change?.adjustment, members);
    members.push(image);
  });
  const parts = [...kinds].map(([kind, members]) => {
    const some = pick(x, members);
    if (kind === undefined) return some;
    return adjusters[kind](
      some,
      members.map((image) => changes[image]?.amount ?? 0),
    );
  });
  const places = new Array<number>(changes.length);
  [...kinds.values()].flat().forEach((image, place) => {
    places[image] = place;
  });
  return pick(ops.cat(parts, 0), places);
}

/** The images at some places, in that order. */
export function pick(x: Tensor, places: readonly number[]): Tensor {
  const index = fromTypedArray(Int32Array.from(places), [places.length], { device: x.device });
  return ops.indexSelect(x, 0, index);
}

/** A number for each image. */
function perImage(values: readonly number[], { device }: Tensor): Tensor {
  return fromTypedArray(Float32Array.from(values), [values.length, 1, 1, 1], { device });
}

const adjusters: Record<Adjustment, (x: Tensor, amounts: readonly number[]) => Tensor> = {
  /** Towards black (0) or brighter (above 1). */
  brightness: (x, factors) => ops.clamp_(ops.mul(x, perImage(factors, x)), 0, 1),
  /** Towards the mean grey of the image. */
  contrast: (x, factors) => blend(x, ops.mean(grey(x), [1, 2, 3], true), factors),
  /** Towards its own grey. */
  saturation: (x, factors) => blend(x, grey(x), factors),
  hue: adjustHue,
};

/** factor · x + (1 - factor) · other, kept within 0 and 1. */
function blend(x: Tensor, other: Tensor, factors: readonly number[]): Tensor {
  const rest = factors.map((factor) => 1 - factor);
  const sum = ops.mul(x, perImage(factors, x));
  return ops.clamp_(ops.add_(sum, ops.mul(other, perImage(rest, x))), 0, 1);
}

/** Luma of ITU-R 601-2 with torchvision's coefficients, [N, 1, H, W]. */
function grey(x: Tensor): Tensor {
  const [red, green, blue] = ops.split(x, 1, 1);
  if (!red || !green || !blue) throw new RangeError('three channels expected');
  const sum = ops.mul(red, 0.2989);
  ops.add_(sum, green, { alpha: 0.587 });
  return ops.add_(sum, blue, { alpha: 0.114 });
}

/**
 * Turns the hue by `shifts` circles. With the largest channel M, the spread c of the channels and the
 * hue h in sixths of the circle, the colour of hue h has the channels M - c · clamp(min(k, 4 - k), 0, 1)
 * where k = (n + h) mod 6 and n = 5, 3, 1 for red, green, blue: HSV there and back in one formula.
 */
function adjustHue(x: Tensor, shifts: readonly number[]): Tensor {
  const [red, green, blue] = ops.split(x, 1, 1);
  if (!red || !green || !blue) throw new RangeError('three channels expected');
  const largest = ops.amax(x, [1], true);
  const spread = ops.sub(largest, ops.amin(x, [1], true));
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
  const { device } = x;
  const offsets = Float32Array.from(shifts.flatMap((shift) => [5, 3, 1].map((n) => n + 6 * shift)));
  const k = ops.add(fromTypedArray(offsets, [shifts.length, 3, 1, 1], { device }), hue);
  // The remainder by 6, which as an operator of its own is many times slower.
  ops.sub_(k, ops.floor(ops.mul(k, 1 / 6)), { alpha: 6 });
  const part = ops.clamp_(ops.minimum(k, ops.add_(ops.neg(k), 4)), 0, 1);
  return ops.sub(largest, ops.mul_(part, spread));
}
