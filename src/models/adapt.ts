/** Pretrained tensors made to fit another input: one channel instead of three, another image size. */
import { ops, scope, type Tensor } from '../tensor/index.ts';
import type { ImageModel } from './model.ts';

/**
 * How a first convolution of three channels becomes one of one channel. 'sum': exactly what repeating the
 * grey channel three times computes; 'slice': the red filter alone.
 */
export type FirstConvolution = 'sum' | 'slice';

/** A convolution weight [O, 3, h, w] as [O, 1, h, w]. */
export function toOneChannel(weight: Tensor, mode: FirstConvolution): Tensor {
  return scope(() =>
    mode === 'sum' ? ops.sum(weight, [1], true) : ops.narrow(weight, 1, 0, 1).contiguous(),
  );
}

/**
 * Position embeddings [1, 1 + g², D] for another grid of patches, [1, tokens, D]: the class token's is
 * kept, the patches' are resized bicubically (corners not aligned, no antialiasing), as
 * facebookresearch/deit does to fine-tune at another resolution. `undefined` where either count is not one
 * class token and a square of patches.
 */
export function resizePositionEmbedding(positions: Tensor, tokens: number): Tensor | undefined {
  const [, stored = 0, width = 0] = positions.shape;
  const from = Math.sqrt(stored - 1);
  const to = Math.sqrt(tokens - 1);
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 1 || to < 1) return undefined;
  return scope(() => {
    const patches = ops.narrow(positions, 1, 1, stored - 1);
    const grid = ops.permute(ops.reshape(patches, [1, from, from, width]), [0, 3, 1, 2]);
    const resized = ops.upsampleBicubic2d(grid.contiguous(), [to, to], false, undefined);
    const flat = ops.reshape(ops.permute(resized, [0, 2, 3, 1]), [1, to ** 2, width]);
    return ops.cat([ops.narrow(positions, 1, 0, 1), flat], 1);
  });
}

/**
 * A table of biases by relative position [(2 w - 1)², heads] for windows of another width, [rows, heads]:
 * resized bicubically (corners not aligned), as microsoft/Swin-Transformer does to fine-tune at another
 * resolution. `undefined` where either count is no odd square.
 */
export function resizeBiasTable(table: Tensor, rows: number): Tensor | undefined {
  const [stored = 0, heads = 0] = table.shape;
  const from = Math.sqrt(stored);
  const to = Math.sqrt(rows);
  if (from % 2 !== 1 || to % 2 !== 1) return undefined;
  return scope(() => {
    const grid = ops.reshape(ops.transpose(table, 0, 1), [1, heads, from, from]);
    const resized = ops.upsampleBicubic2d(grid, [to, to], false, undefined);
    return ops.transpose(ops.reshape(resized, [heads, rows]), 0, 1).contiguous();
  });
}

/**
 * A pretrained tensor of the model's name `name`, made to fit `model` where that is sound: the first
 * convolution to one channel, position embeddings and bias tables to another image size. Anything else comes back as it
 * is, for the caller to compare shapes.
 */
export function adaptCheckpointTensor(
  model: ImageModel,
  name: string,
  tensor: Tensor,
  options: { firstConvolution?: FirstConvolution } = {},
): Tensor {
  const { firstConvolution = 'sum' } = options;
  const wanted = model.state().get(name)?.shape;
  if (!wanted || wanted.join() === tensor.shape.join()) return tensor;
  const isFirst = name === model.firstConvolution && tensor.shape.length === 4;
  if (isFirst && wanted[1] === 1 && tensor.shape[1] === 3) {
    return toOneChannel(tensor, firstConvolution);
  }
  const isPositions = name === 'pos_embed' && tensor.shape.length === 3;
  if (isPositions && tensor.shape[2] === wanted[2]) {
    return resizePositionEmbedding(tensor, wanted[1] ?? 0) ?? tensor;
  }
  const isBiasTable = name.endsWith('.relative_position_bias_table') && tensor.shape.length === 2;
  if (isBiasTable && tensor.shape[1] === wanted[1]) {
    return resizeBiasTable(tensor, wanted[0] ?? 0) ?? tensor;
  }
  return tensor;
}
