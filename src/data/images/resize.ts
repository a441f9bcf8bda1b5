/**
 * Antialiased bilinear resize of 8-bit RGB, as torchvision resizes tensors
 * (`interpolate(mode="bilinear", antialias=True)`, aten::_upsample_bilinear2d_aa): a triangle filter,
 * widened by the scale where the picture shrinks, rounded to the nearest. Agrees to one level of
 * 255. Written here because it runs in decoding threads, which need no tensor library.
 */
import { placesOf } from '../wasm/places.ts';
import { RowKernel, weightBits } from '../wasm/rowKernel.ts';
import { imageOf, type RgbImage, type RowReader, rowsOf } from './rows.ts';

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

/** `image` as `size` × `size` pixels: {@link resizeRows} of a picture in memory. */
export function resizeSquare(image: RgbImage, size: number): Uint8Array<ArrayBuffer> {
  return resizeRows(rowsOf(image), size);
}

/**
 * A picture as `size` × `size` pixels, whatever its aspect. Weights have 14 bits, so that a value may
 * round to the other side of {@link resizeExactly}'s. All rows are read, a few at a time, so that a
 * picture that is decoded meanwhile never fills more memory than the processor's cache holds.
 * @returns size × size × 3 bytes.
 */
export function resizeRows(rows: RowReader, size: number): Uint8Array<ArrayBuffer> {
  const { width, height } = rows;
  const across = packedFilter(width, size);
  const down = packedFilter(height, size);
  if (!across || !down) return resizeExactly(imageOf(rows), size);
  kernel ??= new RowKernel();
  const stride = Math.ceil((width * 3) / 32) * 32;
  const { taps } = down;
  const stripRows = Math.max(Math.floor(stripBytes / stride), taps);
  // Where in the kernel's memory each table is, the result, the sums of a row, and the input rows.
  const places = placesOf([
    down.weights.byteLength,
    across.starts.byteLength,
    across.weights.byteLength,
    size * size * 3 + 1,
    (width + across.taps) * 6 + 64,
    0,
  ]);
  const [downAt, startsAt, acrossAt, resultAt, sumsAt] = places;
  const rowsAt = Math.ceil(places[5] / 32) * 32 + 8;
  // A row whose last tap lies below the picture has weight 0 there, for whatever is in the memory.
  const memory = kernel.memory(rowsAt + (stripRows + taps) * stride);
  new Int32Array(memory, downAt).set(down.weights);
  new Int32Array(memory, startsAt).set(across.starts.map((start) => start * 6));
  new Int32Array(memory, acrossAt).set(across.weights);
  const strip = new Uint8Array(memory, rowsAt);
  const startOf = (row: number): number => down.starts[row] as number;
  const endOf = (row: number): number => Math.min(startOf(row) + taps, height);
  // The input rows in the memory: from `from` to before `to`.
  let [from, to] = [0, 0];
  for (let row = 0; row < size; row++) {
    if (endOf(row) > to) {
      // What is still needed moves to the front: the rows of an output reach into those of the next one.
      const next = startOf(row);
      strip.copyWithin(0, (next - from) * stride, (to - from) * stride);
      const end = Math.min(next + stripRows, height);
      rows.read(strip.subarray((to - next) * stride), stride, end - to);
      [from, to] = [next, end];
    }
    const start = rowsAt + (startOf(row) - from) * stride;
    kernel.sumRows(start, stride, taps, downAt + row * taps * 2, sumsAt, stride);
    const target = resultAt + row * size * 3;
    kernel.sumPixels(sumsAt, startsAt, acrossAt, across.taps, target, size);
  }
  while (to < height) {
    const count = Math.min(stripRows, height - to);
    rows.read(strip, stride, count);
    to += count;
  }
  return new Uint8Array(memory, resultAt, size * size * 3).slice();
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

/** A triangle filter in integers, as the kernel takes it. */
interface PackedFilter {
  /** For each output the first input position. */
  starts: Int32Array;
  /** [output, taps / 2]: pairs of weights of `weightBits` bits that add up to 1, the first in the lower half. */
  weights: Int32Array;
  /** Even, and as many as any output needs. */
  taps: number;
}

/** Filters made lately: the pictures of a data set tend to be of few sizes. */
const packed = new Map<string, PackedFilter | undefined>();
const mostPacked = 64;

/** `undefined` for one of too many taps. */
function packedFilter(from: number, to: number): PackedFilter | undefined {
  const key = `${from} ${to}`;
  if (packed.has(key)) return packed.get(key);
  if (packed.size === mostPacked) packed.clear();
  const filter = triangleFilter(from, to);
  const made = filter.taps > mostTaps ? undefined : pack(filter, to);
  packed.set(key, made);
  return made;
}

function pack(filter: TriangleFilter, size: number): PackedFilter {
  const one = 1 << weightBits;
  const weightOf = (output: number, tap: number): number =>
    Math.round((filter.weights[output * filter.taps + tap] as number) * one);
  const needed = neededTaps(filter, weightOf);
  const taps = Math.ceil(needed / 2) * 2;
  const pairs = new Int32Array((size * taps) / 2);
  const weights = new Int32Array(taps);
  for (let output = 0; output < size; output++) {
    let [sum, largest] = [0, 0];
    for (let tap = 0; tap < needed; tap++) {
      const weight = weightOf(output, tap);
      weights[tap] = weight;
      sum += weight;
      if (weight > (weights[largest] as number)) largest = tap;
    }
    weights[largest] = (weights[largest] as number) + one - sum;
    for (let tap = 0; tap < taps; tap += 2) {
      pairs[(output * taps + tap) / 2] =
        (weights[tap] as number) | ((weights[tap + 1] as number) << 16);
    }
  }
  return { starts: filter.starts, weights: pairs, taps };
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
