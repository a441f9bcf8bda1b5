/**
 * Crops, resizes and flips a whole batch with a few operators, on devices other than the CPU (which
 * has `warpImage.ts`) and for contact sheets. An antialiased bilinear resize weighs input rows, then input columns; a crop
 * chooses where they begin and a flip in which order they come. Both passes are sums of weighted rows
 * of a matrix (`embedding_bag`), with a transposition between
 * them: [B · R, R · 3] → [B · S, R · 3] → [B · R · 3, S] → [B · S · 3, S] → [B, S, S · 3].
 */
import { fromTypedArray, ops, scope, type Tensor } from '../../tensor/index.ts';
import { type TriangleFilter, triangleFilter } from '../images/resize.ts';
import { pick } from './colour.ts';
import type { ImageChange } from './draw.ts';

/** Images at once on a CPU: their rows stay in its cache. */
const chunkOnCpu = 4;

export interface WarpOptions {
  /** Pixels of a side of the result. */
  size: number;
  /** By what each channel of an image is multiplied. */
  factors: (change: ImageChange) => readonly number[];
  /**
   * Called with the images whose colours change, before the transposition back: [N, 3, size, size] with
   * columns before rows, in the levels that `factors` makes. What it returns takes the images' place.
   */
  recolour: (images: Tensor, changes: readonly ImageChange[]) => Tensor;
  /** What is taken from each channel at the end. */
  offsets?: readonly number[];
}

/**
 * @param pixels [B, R, R, 3] uint8.
 * @param changes one for each image.
 * @returns [B, 3, size, size] float32, channels-last.
 */
export function warp(
  pixels: Tensor,
  changes: readonly ImageChange[],
  options: WarpOptions,
): Tensor {
  const { size } = options;
  const { device } = pixels;
  const chunk = device === 'cpu' ? chunkOnCpu : changes.length;
  return scope(() => {
    const result = ops.empty([changes.length, size, size, 3], { dtype: 'float32', device });
    for (let start = 0; start < changes.length; start += chunk) {
      const some = changes.slice(start, start + chunk);
      scope(() => {
        const warped = warpSome(ops.narrow(pixels, 0, start, some.length), some, options);
        ops.copy_(ops.narrow(result, 0, start, some.length), ops.permute(warped, [0, 3, 2, 1]));
      });
    }
    return ops.permute(result, [0, 3, 1, 2]);
  });
}

/** The same for some images: [n, 3, size, size] with columns before rows, not contiguous. */
function warpSome(
  pixels: Tensor,
  changes: readonly ImageChange[],
  { size, factors, recolour, offsets }: WarpOptions,
): Tensor {
  const count = changes.length;
  const resize = pixels.shape[1] ?? 0;
  const { device } = pixels;
  const rows = ops.reshape(pixels.to({ dtype: 'float32' }), [count * resize, resize * 3]);
  const down = sumRows(rows, verticalSums(changes, resize, size));
  const turned = ops.permute(ops.reshape(down, [count, size, resize * 3]), [0, 2, 1]).contiguous();
  const columns = ops.reshape(turned, [count * resize * 3, size]);
  const across = sumRows(columns, horizontalSums(changes, resize, size, factors));
  const byColumn = ops.permute(ops.reshape(across, [count, size, 3, size]), [0, 2, 1, 3]);
  const images = recoloured(byColumn, changes, recolour);
  if (offsets) ops.sub_(images, fromTypedArray(Float32Array.from(offsets), [3, 1, 1], { device }));
  return images;
}

/** The images, with other colours where their changes say so: themselves where none does. */
function recoloured(
  images: Tensor,
  changes: readonly ImageChange[],
  recolour: WarpOptions['recolour'],
): Tensor {
  const places = [...changes.keys()].filter((place) => changes[place]?.colour.length);
  if (places.length === 0) return images;
  const some = places.flatMap((place) => changes[place] ?? []);
  const both = ops.cat([images, recolour(pick(images, places), some)], 0);
  const from = [...changes.keys()];
  places.forEach((place, at) => {
    from[place] = changes.length + at;
  });
  return pick(both, from);
}

/** For each row of a result which rows of a matrix are summed, and with which weights. */
class RowSums {
  readonly #indices: Int32Array<ArrayBuffer>;
  readonly #weights: Float32Array<ArrayBuffer>;
  readonly #starts: Int32Array<ArrayBuffer>;
  #count = 0;
  #rows = 0;

  /** Room for `rows` rows of at most `terms` terms. */
  constructor(rows: number, terms: number) {
    this.#indices = new Int32Array(rows * terms);
    this.#weights = new Float32Array(rows * terms);
    this.#starts = new Int32Array(rows);
  }

  beginRow(): void {
    this.#starts[this.#rows++] = this.#count;
  }

  add(index: number, weight: number): void {
    this.#indices[this.#count] = index;
    this.#weights[this.#count++] = weight;
  }

  get indices(): Int32Array<ArrayBuffer> {
    return this.#indices.subarray(0, this.#count);
  }

  get weights(): Float32Array<ArrayBuffer> {
    return this.#weights.subarray(0, this.#count);
  }

  get starts(): Int32Array<ArrayBuffer> {
    return this.#starts;
  }
}

function sumRows(matrix: Tensor, { indices, weights, starts }: RowSums): Tensor {
  const { device } = matrix;
  const [sums] = ops.embeddingBag(
    matrix,
    fromTypedArray(indices, [indices.length], { device }),
    fromTypedArray(starts, [starts.length], { device }),
    false,
    0,
    false,
    fromTypedArray(weights, [weights.length], { device }),
  );
  return sums;
}

const filters = new Map<string, TriangleFilter>();

/** The weights of a resize, made once. */
function filterOf(from: number, to: number): TriangleFilter {
  const key = `${from} ${to}`;
  const known = filters.get(key);
  if (known) return known;
  const made = triangleFilter(from, to);
  filters.set(key, made);
  return made;
}

/** Row `row` of image k comes from the rows of its crop. */
function verticalSums(changes: readonly ImageChange[], resize: number, size: number): RowSums {
  const used = changes.map(({ crop }) => filterOf(crop.height, size));
  const sums = new RowSums(changes.length * size, mostTaps(used));
  changes.forEach(({ crop, flipVertical }, k) => {
    const { starts, weights, taps } = used[k] as TriangleFilter;
    const base = k * resize + crop.top;
    for (let row = 0; row < size; row++) {
      const from = flipVertical ? size - 1 - row : row;
      const first = base + (starts[from] as number);
      sums.beginRow();
      for (let tap = 0; tap < taps; tap++) {
        const weight = weights[from * taps + tap] as number;
        if (weight !== 0) sums.add(first + tap, weight);
      }
    }
  });
  return sums;
}

/** Column and channel (column · 3 + channel) of image k come from the columns of its crop. */
function horizontalSums(
  changes: readonly ImageChange[],
  resize: number,
  size: number,
  factors: WarpOptions['factors'],
): RowSums {
  const used = changes.map(({ crop }) => filterOf(crop.width, size));
  const sums = new RowSums(changes.length * size * 3, mostTaps(used));
  changes.forEach((change, k) => {
    const { crop, flipHorizontal } = change;
    const { starts, weights, taps } = used[k] as TriangleFilter;
    const scale = factors(change);
    const base = k * resize + crop.left;
    for (let column = 0; column < size; column++) {
      const from = flipHorizontal ? size - 1 - column : column;
      const first = base + (starts[from] as number);
      for (let channel = 0; channel < 3; channel++) {
        const factor = scale[channel] ?? 1;
        sums.beginRow();
        for (let tap = 0; tap < taps; tap++) {
          const weight = weights[from * taps + tap] as number;
          if (weight !== 0) sums.add((first + tap) * 3 + channel, weight * factor);
        }
      }
    }
  });
  return sums;
}

function mostTaps(used: readonly TriangleFilter[]): number {
  return Math.max(...used.map(({ taps }) => taps));
}
