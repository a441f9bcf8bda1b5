/** Multi-head softmax attention (Vaswani et al. 2017), in the layout of timm's vision transformers. */
import { ops, type Tensor } from '../tensor/index.ts';
import { batchedProduct } from './batched.ts';

export interface Attention {
  /** [B, Q, D]: the heads' outputs side by side, before the output projection. */
  output: Tensor;
  /** [B, heads, Q, T]: how much query i attends to key j; each row sums to 1. */
  weights: Tensor;
}

/**
 * softmax(Q Kᵀ / √d) V for every head, from the joint projection of queries, keys and values.
 *
 * @param projection [B, T, 3 · D]: the output of the `qkv` layer, ordered (3, heads, d) within the last
 *   dimension, d = D / heads.
 * @param queries Q, the number of tokens from the first on that attend; all of them, T, if not given.
 */
export function selfAttention(projection: Tensor, heads: number, queries?: number): Attention {
  const [batch = 0, tokens = 0, features = 0] = projection.shape;
  const width = features / (3 * heads);
  if (projection.shape.length !== 3 || !Number.isInteger(width)) {
    throw new Error(
      `Attention of ${heads} heads over [${projection.shape}]: not [B, T, 3 · heads · d].`,
    );
  }
  const asked = queries ?? tokens;
  const [allQueries, key, value] = ops.unbind(
    ops.reshape(projection, [batch, tokens, 3, heads, width]),
    2,
  ) as [Tensor, Tensor, Tensor];
  const query = asked === tokens ? allQueries : ops.narrow(allQueries, 1, 0, asked);
  // One dense matrix a head: [B · heads, rows, columns].
  const byHead = (tensor: Tensor, order: readonly number[], rows: number, columns: number) =>
    ops.reshape(ops.permute(tensor, order), [batch * heads, rows, columns]);
  // Scaling the queries rather than the scores spares two passes over T × T.
  const scaled = ops.mul(byHead(query, [0, 2, 1, 3], asked, width), width ** -0.5);
  const scores = batchedProduct(scaled, byHead(key, [0, 2, 3, 1], width, tokens));
  const weights = ops.softmax(scores, -1);
  const mixed = batchedProduct(weights, byHead(value, [0, 2, 1, 3], tokens, width));
  const output = ops.transpose(ops.reshape(mixed, [batch, heads, asked, width]), 1, 2);
  return {
    output: ops.reshape(output, [batch, asked, heads * width]),
    weights: ops.reshape(weights, [batch, heads, asked, tokens]),
  };
}
