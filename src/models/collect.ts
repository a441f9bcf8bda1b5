import { ops, type Tensor } from '../tensor/index.ts';
import type { ImageModel } from './model.ts';

/**
 * One forward pass with everything that it shows: logits [B, K], every tap's value by name, and every
 * attention module's weights [B, heads, T, T] by its tap's name. It holds all of them at once: for large
 * batches, observe instead and keep only what is needed.
 */
export function collectTaps(
  model: ImageModel,
  images: Tensor,
): { logits: Tensor; taps: Map<string, Tensor>; attention: Map<string, Tensor> } {
  const taps = new Map<string, Tensor>();
  const attention = new Map<string, Tensor>();
  const logits = model.run(images, {
    observe: (name, value) => taps.set(name, ops.alias(value)),
    observeAttention: (name, weights) => attention.set(name, ops.alias(weights)),
  });
  return { logits, taps, attention };
}
