/**
 * Attention within windows of a square grid of tokens, with a learnt bias by relative position (Liu et al.
 * 2021), with the names of microsoft/Swin-Transformer. Its `relative_position_index` and `attn_mask` follow
 * from the geometry and are no state here.
 */
import { batchedProduct, Linear, Module } from '../nn/index.ts';
import { fromTypedArray, ops, type Tensor } from '../tensor/index.ts';

/** Where a block's windows lie. */
export interface WindowGeometry {
  /** Tokens along one side of the grid, a multiple of `window`. */
  grid: number;
  /** Tokens along one side of a window. */
  window: number;
  /** Tokens by which the windows are moved down and right, around the edges; 0 for no shift. */
  shift: number;
}

/** What is added to scores of tokens in a shifted window that are no neighbours in the image. */
const maskedScore = -100;

export class WindowAttention extends Module {
  readonly #table: Tensor;
  readonly #qkv: Linear;
  readonly #proj: Linear;
  readonly #heads: number;
  readonly #geometry: WindowGeometry;
  /** [w² · w²] int64, and [windows, 1, w², w²] where windows are shifted. */
  readonly #index: Tensor;
  readonly #mask: Tensor | undefined;

  constructor(width: number, heads: number, geometry: WindowGeometry) {
    super();
    const { grid, window, shift } = geometry;
    const size = window ** 2;
    this.#table = this.parameter(
      'relative_position_bias_table',
      ops.zeros([(2 * window - 1) ** 2, heads]),
    );
    this.#qkv = this.child('qkv', new Linear(width, 3 * width));
    this.#proj = this.child('proj', new Linear(width, width));
    this.#heads = heads;
    this.#geometry = geometry;
    this.#index = this.constant(fromTypedArray(relativePositionIndex(window), [size ** 2]));
    if (shift === 0) return;
    const shape = [(grid / window) ** 2, 1, size, size];
    this.#mask = this.constant(fromTypedArray(shiftedWindowMask(geometry), shape));
  }

  /** [B, grid², D] to the same shape: what each token gathers from its window. */
  forward(tokens: Tensor): Tensor {
    const { grid, shift } = this.#geometry;
    if (shift === 0) return this.#attend(tokens);
    const [batch = 0, count = 0, width = 0] = tokens.shape;
    const move = (values: Tensor, by: number) =>
      ops.reshape(ops.roll(ops.reshape(values, [batch, grid, grid, width]), [by, by], [1, 2]), [
        batch,
        count,
        width,
      ]);
    return move(this.#attend(move(tokens, -shift)), shift);
  }

  #attend(tokens: Tensor): Tensor {
    const [batch = 0, count = 0, width = 0] = tokens.shape;
    const { grid, window } = this.#geometry;
    const heads = this.#heads;
    const side = grid / window;
    const windows = side ** 2;
    const size = window ** 2;
    const depth = width / heads;
    const [query, key, value] = ops.unbind(
      ops.reshape(this.#qkv.forward(tokens), [batch, side, window, side, window, 3, heads, depth]),
      5,
    ) as [Tensor, Tensor, Tensor];
    // The cut into windows and the one into heads are one copy: [B, row, y, column, x, heads, d] to one
    // dense matrix a window and head.
    const matrices = batch * windows * heads;
    const byWindow = (tensor: Tensor) =>
      ops.reshape(ops.permute(tensor, [0, 1, 3, 5, 2, 4, 6]), [matrices, size, depth]);
    const transposed = ops.reshape(ops.permute(key, [0, 1, 3, 5, 6, 2, 4]), [
      matrices,
      depth,
      size,
    ]);
    // Scaling the queries rather than the scores spares two passes over them.
    const scaled = ops.mul(byWindow(query), depth ** -0.5);
    const scores = ops.reshape(batchedProduct(scaled, transposed), [
      batch,
      windows,
      heads,
      size,
      size,
    ]);
    const weights = ops.softmax(ops.add(scores, this.#bias()), -1);
    const mixed = batchedProduct(ops.reshape(weights, [matrices, size, size]), byWindow(value));
    const inOrder = ops.permute(
      ops.reshape(mixed, [batch, side, side, heads, window, window, depth]),
      [0, 1, 4, 2, 5, 3, 6],
    );
    return this.#proj.forward(ops.reshape(inOrder, [batch, count, width]));
  }

  /** What is added to the scores: [heads, w², w²], or [windows, heads, w², w²] with the mask of a shift. */
  #bias(): Tensor {
    const size = this.#geometry.window ** 2;
    const entries = ops.indexSelect(this.#table, 0, this.#index);
    const bias = ops.permute(ops.reshape(entries, [size, size, this.#heads]), [2, 0, 1]);
    return this.#mask ? ops.add(bias, this.#mask) : bias.contiguous();
  }
}

/** For every two tokens of a window, the row of the bias table for their distance: [w² · w²]. */
function relativePositionIndex(window: number): BigInt64Array {
  const size = window ** 2;
  const index = new BigInt64Array(size ** 2);
  for (let to = 0; to < size; to++) {
    for (let from = 0; from < size; from++) {
      const down = Math.floor(to / window) - Math.floor(from / window) + window - 1;
      const right = (to % window) - (from % window) + window - 1;
      index[to * size + from] = BigInt(down * (2 * window - 1) + right);
    }
  }
  return index;
}

/**
 * 0 for two tokens of a shifted window that are neighbours in the image, -100 for two that the shift
 * brought together from opposite edges: [windows · w² · w²].
 */
function shiftedWindowMask({ grid, window, shift }: WindowGeometry): Float32Array {
  const band = (position: number) =>
    position < grid - window ? 0 : position < grid - shift ? 1 : 2;
  const side = grid / window;
  const size = window ** 2;
  const mask = new Float32Array(side ** 2 * size ** 2);
  let next = 0;
  for (let cell = 0; cell < side ** 2; cell++) {
    const regions = Array.from({ length: size }, (_, token) => {
      const y = Math.floor(cell / side) * window + Math.floor(token / window);
      const x = (cell % side) * window + (token % window);
      return 3 * band(y) + band(x);
    });
    for (const to of regions) {
      for (const from of regions) mask[next++] = to === from ? 0 : maskedScore;
    }
  }
  return mask;
}
