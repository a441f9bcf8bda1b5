/** What becomes of each tensor of a network that starts from a checkpoint. */
import { type ImageModel, type TensorRole, tensorRoles } from '../models/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { countKept, type TransferSettings } from './schemes.ts';

/** What becomes of a tensor. */
export type Treatment =
  /** It has its pretrained values. */
  | 'kept'
  /** Drawn from the statistics of its pretrained values. */
  | 'sampled'
  /** Put to what a new layer has: 0 or 1. */
  | 'reset'
  /** Drawn without a checkpoint: the head of every scheme, and everything but norms and biases under ri. */
  | 'random';

/**
 * The treatment of every parameter and buffer by name, in the order of `state()`. It follows from the
 * network's names and shapes and the settings alone.
 * @throws RequestError where n is not a number of the model's modules
 */
export function planTransfer(
  model: ImageModel,
  settings: TransferSettings,
): Map<string, Treatment> {
  const kept = countKept(model, settings);
  const roles = tensorRoles(model);
  const order = new Map(model.groups.map((group, index) => [group, index]));
  const plan = new Map<string, Treatment>();
  for (const [name, tensor] of model.state()) {
    const role = roles.get(name);
    const group = model.groupOf(name);
    const index = group && order.get(group);
    if (!role || (index === undefined && !model.isHead(name))) {
      throw new Error(`${model.id}: the tensor ${name} belongs to no module.`);
    }
    if (index === undefined) plan.set(name, 'random');
    else if (settings.scheme === 'ri') plan.set(name, atRandom(role));
    else plan.set(name, index < kept ? 'kept' : byStatistics(tensor, role, settings));
  }
  return plan;
}

/** Random initialisation draws weights, and puts norms and biases to what a new layer has. */
function atRandom({ layer, part }: TensorRole): Treatment {
  return layer === 'norm' || part === 'bias' ? 'reset' : 'random';
}

/** What stats transfer does to a tensor of the backbone. */
function byStatistics(
  tensor: Tensor,
  { layer, part }: TensorRole,
  { norm = 'reset', tokens = 'sample' }: TransferSettings,
): Treatment {
  if (layer === 'norm') {
    const isLearnt = part === 'weight' || part === 'bias';
    return norm === 'sample' && isLearnt ? oneElementKept(tensor) : 'reset';
  }
  // Integer tables, which index something, are part of the architecture and not weights.
  if (!tensor.dtype.startsWith('float')) return 'kept';
  return layer === 'token' && tokens === 'keep' ? 'kept' : oneElementKept(tensor);
}

/** One element has no deviation: it keeps its value. */
function oneElementKept(tensor: Tensor): Treatment {
  return tensor.elementCount < 2 ? 'kept' : 'sampled';
}
