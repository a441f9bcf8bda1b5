/** Multi-head softmax attention (Vaswani et al. 2017), in the layout of timm's vision transformers. */
import { ops, type Tensor } from '../tensor/index.ts';

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
  const [allQueries, key, value] = ops.unbind(
    ops.permute(ops.reshape(projection, [batch, tokens, 3, heads, width]), [2, 0, 3, 1, 4]),
    0,
  ) as [Tensor, Tensor, Tensor];
  const asked = queries ?? tokens;
  const query = asked === tokens ? allQueries : ops.narrow(allQueries, 2, 0, asked);
  const scores = ops.mul(ops.matmul(query, ops.transpose(key, -2, -1)), width ** -0.5);
  const weights = ops.softmax(scores, -1);
  const mixed = ops.matmul(weights, value);
  const output = ops.reshape(ops.transpose(mixed, 1, 2), [batch, asked, heads * width]);
  return { output, weights };
}
