/** What each tensor of a network is, which decides how it is initialised, transferred and measured. */
import { BatchNorm2d, Conv2d, LayerNorm, Linear } from '../nn/index.ts';
import type { ImageModel } from './model.ts';

/**
 * - convolution, linear: a layer's weight or bias;
 * - norm: a normalisation layer's weight or bias, or its running mean, variance or batch count;
 * - token: what belongs to no layer (class token, position embeddings, relative position bias tables).
 */
export interface TensorRole {
  layer: 'convolution' | 'linear' | 'norm' | 'token';
  part: 'weight' | 'bias' | 'running_mean' | 'running_var' | 'num_batches_tracked';
}

const parts = ['bias', 'running_mean', 'running_var', 'num_batches_tracked'] as const;

/** The role of every parameter and buffer, by name, in the order of `state()`. */
export function tensorRoles(model: ImageModel): Map<string, TensorRole> {
  const modules = model.namedModules();
  const roles = new Map<string, TensorRole>();
  for (const name of model.state().keys()) {
    const dot = name.lastIndexOf('.');
    const owner = modules.get(name.slice(0, Math.max(0, dot)));
    const member = name.slice(dot + 1);
    const part = parts.find((candidate) => candidate === member) ?? 'weight';
    if (owner instanceof Conv2d) roles.set(name, { layer: 'convolution', part });
    else if (owner instanceof Linear) roles.set(name, { layer: 'linear', part });
    else if (owner instanceof BatchNorm2d || owner instanceof LayerNorm) {
      roles.set(name, { layer: 'norm', part });
    } else roles.set(name, { layer: 'token', part });
  }
  return roles;
}
