/**
 * One image cropped, resized, flipped and coloured on the CPU: what `warp.ts` does on other devices with
 * tensor operators, several times as fast, and able to run in threads without a tensor library.
 */
import { neededTaps, type TriangleFilter, triangleFilter } from '../images/resize.ts';
import { placesOf } from '../wasm/places.ts';
import { groupBytes, type WarpKernel, warpKernel } from '../wasm/warpKernel.ts';
import type { Adjustment, ImageChange } from './draw.ts';
import { lineOf } from './line.ts';

export interface WarpedImage {
  /** Pixels of a side of the result. */
  size: number;
  /** Of each channel, on a scale of 0 to 1: the result is (x - mean) / std. */
  mean: readonly number[];
  std: readonly number[];
}

/**
 * @param pixels `resize` × `resize` × 3 bytes.
 * @param target size × size × 3 numbers.
 */
export function warpImage(
  pixels: Uint8Array,
  resize: number,
  { crop, flipHorizontal, flipVertical, colour }: ImageChange,
  { size, mean, std }: WarpedImage,
  target: Float32Array,
): void {
  const across = filterOf(crop.width, size, flipHorizontal);
  const down = filterOf(crop.height, size, flipVertical);
  const groups = Math.ceil((size * size) / 4);
  const places = layOut(resize, groups, across, down);
  const { kernel, memory } = warpKernel(places.end);
  new Uint8Array(memory, places.pixels).set(pixels);
  new Float32Array(memory, places.down).set(down.weights);
  new Int32Array(memory, places.starts).set(across.starts.map((start) => start * 12));
  new Float32Array(memory, places.across).set(across.weights);
  const scales = new Float32Array(memory, places.scales, 24);
  scales.set(colour.length > 0 ? levels : scalesOf(mean, std, 255));
  const first = places.pixels + (crop.top * resize + crop.left) * 3;
  for (let row = 0; row < size; row++) {
    const source = first + (down.starts[row] as number) * resize * 3;
    const weights = places.down + row * down.taps * 4;
    kernel.sumRows(source, resize * 3, down.taps, weights, places.sums, crop.width * 3);
    const to = places.image + row * size * 12;
    const { sums, starts, across: weightsAcross } = places;
    kernel.sumPixels(sums, starts, weightsAcross, across.taps, to, size, places.scales);
  }
  const image = new Float32Array(memory, places.image, size * size * 3);
  if (colour.length > 0) {
    // What fills the last group of pixels up is black, until the mean of all pixels is taken.
    new Float32Array(memory, places.image, groups * 12).fill(0, size * size * 3);
    for (const { adjustment, amount } of colour) {
      adjusters[adjustment]({ kernel, image: places.image, groups, pixels: size * size }, amount);
    }
    scales.set(scalesOf(mean, std, 1));
    kernel.scale(places.image, groups, places.scales);
  }
  target.set(image);
}

interface Adjusted {
  kernel: WarpKernel;
  /** Its address, in levels of 0 to 1. */
  image: number;
  groups: number;
  pixels: number;
}

/** The definitions are those of `colour.ts`. */
const adjusters: Record<Adjustment, (on: Adjusted, amount: number) => void> = {
  brightness: ({ kernel, image, groups }, factor) => {
    kernel.blend(image, groups, factor, 0);
  },
  contrast: ({ kernel, image, groups, pixels }, factor) => {
    const mean = kernel.sumGrey(image, groups) / pixels;
    kernel.blend(image, groups, factor, (1 - factor) * mean);
  },
  saturation: ({ kernel, image, groups }, factor) => {
    kernel.saturate(image, groups, factor);
  },
  hue: ({ kernel, image, groups }, shift) => {
    kernel.turnHues(image, groups, 6 * shift);
  },
};

/** Factors and offsets of four pixels, as the kernel takes them. */
function scalesOf(mean: readonly number[], std: readonly number[], top: number): Float32Array {
  const { factors, offsets } = lineOf({ mean, std }, 4, top);
  return Float32Array.of(...factors, ...offsets);
}

/** From levels of 0 to 255 to 0 to 1. */
const levels = scalesOf([0, 0, 0], [1, 1, 1], 255);

/** Where everything is in the kernel's memory: at multiples of 16. */
function layOut(
  resize: number,
  groups: number,
  across: PackedFilter,
  down: PackedFilter,
): Record<'pixels' | 'sums' | 'image' | 'scales' | 'down' | 'starts' | 'across' | 'end', number> {
  const [pixels, sums, image, scales, downAt, starts, acrossAt, end] = placesOf([
    // Rows are read, and sums written, sixteen numbers at a time; a pixel is written with 16 bytes.
    resize * resize * 3 + 16,
    resize * 12 + 64,
    groups * groupBytes + 16,
    2 * groupBytes,
    down.weights.byteLength,
    across.starts.byteLength,
    across.weights.byteLength,
    0,
  ]);
  return { pixels, sums, image, scales, down: downAt, starts, across: acrossAt, end };
}

/** A triangle filter in single precision, with as few taps as it needs, all within the input. */
interface PackedFilter {
  starts: Int32Array;
  /** [output, taps] */
  weights: Float32Array;
  taps: number;
}

const filters = new Map<string, PackedFilter>();

/** The weights of a resize, made once; the last output first where it is `flipped`. */
function filterOf(from: number, to: number, flipped: boolean): PackedFilter {
  const key = `${from} ${to} ${flipped}`;
  const known = filters.get(key);
  if (known) return known;
  const made = pack(triangleFilter(from, to), from, flipped);
  filters.set(key, made);
  return made;
}

function pack(filter: TriangleFilter, from: number, flipped: boolean): PackedFilter {
  const to = filter.starts.length;
  const weightOf = (output: number, tap: number): number =>
    filter.weights[output * filter.taps + tap] ?? 0;
  const taps = neededTaps(filter, weightOf);
  const starts = new Int32Array(to);
  const weights = new Float32Array(to * taps);
  for (let row = 0; row < to; row++) {
    const output = flipped ? to - 1 - row : row;
    const start = filter.starts[output] as number;
    // The last outputs begin earlier, with weights of nothing.
    const moved = Math.min(start, Math.max(0, from - taps));
    starts[row] = moved;
    for (let tap = start - moved; tap < taps; tap++) {
      weights[row * taps + tap] = weightOf(output, tap - (start - moved));
    }
  }
  return { starts, weights, taps };
}
