/**
 * Antialiased bilinear resize of 8-bit RGB, as torchvision resizes tensors
 * (`interpolate(mode="bilinear", antialias=True)`, aten::_upsample_bilinear2d_aa): a triangle filter,
 * widened by the scale where the picture shrinks, in floating point, rounded half to even. Agrees to
 * one level of 255. Written here because it runs in decoding threads, which need no tensor library.
 */

/** 8-bit RGB, row by row, three bytes a pixel. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
}

/** For each output position: the first input position, and the weights of it and those after it. */
interface Filter {
  starts: Int32Array;
  /** [output, taps], zero past the last tap. */
  weights: Float64Array;
  taps: number;
}

/** The triangle filter from `from` to `to` positions. */
function triangleFilter(from: number, to: number): Filter {
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

/**
 * `image` as `size` × `size` pixels, whatever its aspect.
 * @returns size × size × 3 bytes.
 */
export function resizeSquare(
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
  { starts, weights, taps }: Filter,
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
