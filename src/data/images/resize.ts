/**
 * Antialiased bilinear resize of 8-bit RGB, as torchvision resizes tensors
 * (`interpolate(mode="bilinear", antialias=True)`, aten::_upsample_bilinear2d_aa): a triangle filter,
 * widened by the scale where the picture shrinks, rounded to the nearest. Agrees to one level of
 * 255. Written here because it runs in decoding threads, which need no tensor library.
 */
import { placesOf } from '../wasm/places.ts';
import { RowKernel, weightBits } from '../wasm/rowKernel.ts';

/** What a file holds, before it becomes 8-bit RGB. */
export interface ImageSource {
  /** For example `jpeg`, `png`, `dicom`. */
  format: string;
  /** 1 for grey, 3 for colour, one more with alpha. */
  channels: number;
  /** Bits of a channel. */
  bits: number;
}

/** 8-bit RGB, row by row, three bytes a pixel. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
  /** Where it is known. */
  source?: ImageSource;
}

/** For each output position: the first input position, and the weights of it and those after it. */
export interface TriangleFilter {
  starts: Int32Array;
  /** [output, taps], zero past the last tap. */
  weights: Float64Array;
  taps: number;
}

/** The triangle filter from `from` to `to` positions. */
export function triangleFilter(from: number, to: number): TriangleFilter {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let output = 0; output < to; output++) {
    const centre = scale * (output + 0.5);
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const count = Math.min(Math.trunc(centre + support + 0.5), from) - start;
    let total = 0;
    for (let tap = 0; tap < count; tap++) {
      const distance = Math.abs((tap + start - centre + 0.5) / support);
      const weight = Math.max(1 - distance, 0);
      weights[output * taps + tap] = weight;
      total += weight;
    }
    for (let tap = 0; tap < count; tap++) {
      weights[output * taps + tap] = (weights[output * taps + tap] ?? 0) / total;
    }
    starts[output] = start;
  }
  return { starts, weights, taps };
}

/** Filters with more taps are summed in floating point: their weights are too small for integers. */
const mostTaps = 256;

/** Bytes of rows that are summed at once: they stay in the processor's cache. */
const stripBytes = 262_144;

let kernel: RowKernel | undefined;

/**
 * `image` as `size` × `size` pixels, whatever its aspect. Weights have 14 bits, so that a value may
 * round to the other side of {@link resizeExactly}'s.
 * @returns size × size × 3 bytes.
 */
export function resizeSquare(image: RgbImage, size: number): Uint8Array<ArrayBuffer> {
  const across = triangleFilter(image.width, size);
  const down = triangleFilter(image.height, size);
  if (Math.max(across.taps, down.taps) > mostTaps) return resizeExactly(image, size);
  kernel ??= new RowKernel();
  const horizontal = integerFilter(across, size);
  const vertical = integerFilter(down, size);
  const pairs = pairsOf(vertical.weights);
  const pairsAcross = pairsOf(horizontal.weights);
  const starts = Int32Array.from(across.starts, (start) => start * 6);
  const stride = Math.ceil((image.width * 3) / 16) * 16;
  const taps = vertical.taps;
  // Where in the kernel's memory each table is, the result, the sums of a row, and the input rows.
  const places = placesOf([
    pairs.byteLength,
    starts.byteLength,
    pairsAcross.byteLength,
    size * size * 3 + 1,
    (image.width + horizontal.taps) * 6 + 64,
    0,
  ]);
  const [pairsAt, startsAt, weightsAt, resultAt, sumsAt, rowsAt] = places;
  const tables = kernel.memory(rowsAt);
  new Int32Array(tables, pairsAt).set(pairs);
  new Int32Array(tables, startsAt).set(starts);
  new Int32Array(tables, weightsAt).set(pairsAcross);
  const endOf = (row: number): number =>
    Math.min((down.starts[row] as number) + taps, image.height);
  for (let first = 0; first < size; ) {
    const from = down.starts[first] as number;
    let last = first;
    while (last + 1 < size && (endOf(last + 1) - from) * stride <= stripBytes) last++;
    // A row whose last tap lies below the picture has weight 0 there, for whatever is in the memory.
    const memory = kernel.memory(rowsAt + (endOf(last) - from + taps) * stride);
    copyRows(image, from, endOf(last), new Uint8Array(memory, rowsAt), stride);
    for (let row = first; row <= last; row++) {
      const start = rowsAt + ((down.starts[row] as number) - from) * stride;
      kernel.sumRows(start, stride, taps, pairsAt + row * taps * 2, sumsAt, stride);
      const to = resultAt + row * size * 3;
      kernel.sumPixels(sumsAt, startsAt, weightsAt, horizontal.taps, to, size);
    }
    first = last + 1;
  }
  return new Uint8Array(kernel.memory(rowsAt), resultAt, size * size * 3).slice();
}

/** Rows `from` to `to` into `memory`, each `stride` bytes after the one before. */
function copyRows(
  { width, data }: RgbImage,
  from: number,
  to: number,
  memory: Uint8Array,
  stride: number,
): void {
  const rowBytes = width * 3;
  if (rowBytes === stride) {
    memory.set(data.subarray(from * rowBytes, to * rowBytes));
    return;
  }
  for (let row = from; row < to; row++) {
    memory.set(data.subarray(row * rowBytes, (row + 1) * rowBytes), (row - from) * stride);
  }
}

/** As many taps as any output needs for its weights that are not 0; at least one. */
export function neededTaps(
  { starts, taps }: TriangleFilter,
  weightOf: (output: number, tap: number) => number,
): number {
  let needed = 1;
  for (let output = 0; output < starts.length; output++) {
    for (let tap = needed; tap < taps; tap++) if (weightOf(output, tap) !== 0) needed = tap + 1;
  }
  return needed;
}

/**
 * Weights as integers of `weightBits` bits that add up to 1 exactly; as many for each output as any
 * needs, in pairs.
 */
function integerFilter(
  filter: TriangleFilter,
  size: number,
): { weights: Int32Array; taps: number } {
  const one = 1 << weightBits;
  const weightOf = (output: number, tap: number): number =>
    Math.round((filter.weights[output * filter.taps + tap] as number) * one);
  const needed = neededTaps(filter, weightOf);
  const taps = Math.ceil(needed / 2) * 2;
  const weights = new Int32Array(size * taps);
  for (let output = 0; output < size; output++) {
    let [sum, largest] = [0, 0];
    for (let tap = 0; tap < needed; tap++) {
      const weight = weightOf(output, tap);
      weights[output * taps + tap] = weight;
      sum += weight;
      if (weight > (weights[output * taps + largest] as number)) largest = tap;
    }
    const at = output * taps + largest;
    weights[at] = (weights[at] as number) + one - sum;
  }
  return { weights, taps };
}

/** Two weights in one number, the first in its lower half. */
function pairsOf(weights: Int32Array): Int32Array {
  return Int32Array.from(
    { length: weights.length / 2 },
    (_, at) => (weights[at * 2] as number) | ((weights[at * 2 + 1] as number) << 16),
  );
}

/** The same in floating point, rounded half to even. */
export function resizeExactly(
  { width, height, data }: RgbImage,
  size: number,
): Uint8Array<ArrayBuffer> {
  const across = triangleFilter(width, size);
  const down = triangleFilter(height, size);
  const rowLength = size * 3;
  const sums = new Float64Array(size * rowLength);
  const row = new Float64Array(rowLength);
  // Each input row is filtered once and added to the output rows that it reaches; `first` is the
  // first output row that is not complete yet.
  let first = 0;
  for (let y = 0; y < height; y++) {
    filterRow(data, y * width * 3, width, across, row);
    while (first < size && (down.starts[first] ?? 0) + down.taps <= y) first++;
    for (let output = first; output < size; output++) {
      const start = down.starts[output] ?? 0;
      if (start > y) break;
      const weight =
        y - start < down.taps ? (down.weights[output * down.taps + y - start] ?? 0) : 0;
      if (weight === 0) continue;
      const offset = output * rowLength;
      for (let k = 0; k < rowLength; k++) {
        sums[offset + k] = (sums[offset + k] as number) + weight * (row[k] as number);
      }
    }
  }
  // Conversion to clamped bytes rounds half to even.
  return new Uint8Array(new Uint8ClampedArray(sums).buffer);
}

/** One input row, from byte `base`, filtered across into `row`. */
function filterRow(
  data: Uint8Array,
  base: number,
  width: number,
  { starts, weights, taps }: TriangleFilter,
  row: Float64Array,
): void {
  const outputs = starts.length;
  for (let x = 0; x < outputs; x++) {
    const start = starts[x] as number;
    const count = Math.min(taps, width - start);
    let red = 0;
    let green = 0;
    let blue = 0;
    let at = base + start * 3;
    const firstWeight = x * taps;
    for (let tap = 0; tap < count; tap++) {
      const weight = weights[firstWeight + tap] as number;
      red += weight * (data[at] as number);
      green += weight * (data[at + 1] as number);
      blue += weight * (data[at + 2] as number);
      at += 3;
    }
    row[x * 3] = red;
    row[x * 3 + 1] = green;
    row[x * 3 + 2] = blue;
  }
}
