/** Random initialisation, as each family's authors do it. */
import { initialise } from '../nn/index.ts';
import { type Generator, noGrad, ops, scope, type Tensor } from '../tensor/index.ts';
import type { ImageModel } from './model.ts';
import { type TensorRole, tensorRoles } from './roles.ts';

/**
 * - 'default': convolutions of CNNs Kaiming normal (fan-out, ReLU; He et al. 2015), as torchvision's
 *   ResNets; linear layers, tokens and bias tables of vision transformers truncated normal with σ = 0.02,
 *   and their patch projection uniform within 1 / √(fan in), as DeiT and Swin (which leave it at PyTorch's
 *   default for convolutions).
 * - 'kaiming': Kaiming normal for every convolution and linear layer of either family.
 *
 * In both: norms 1 and 0, running statistics 0 and 1, biases 0, the head as `nn.Linear` has it.
 */
export type RandomScheme = 'default' | 'kaiming';

/** One stream for all tensors in order, or a stream of each tensor's own by its name. */
export type GeneratorSource = Generator | ((name: string) => Generator);

/** Deviation of the truncated normal in DeiT (`trunc_normal_(std=.02)`). */
const tokenDeviation = 0.02;

/** Gives every parameter and buffer of the network its random value, the head included. */
export function initialiseRandom(
  model: ImageModel,
  { generator, scheme = 'default' }: { generator: GeneratorSource; scheme?: RandomScheme },
): void {
  const roles = tensorRoles(model);
  for (const [name, tensor] of model.state()) {
    const role = roles.get(name);
    if (role && !model.isHead(name)) {
      fill(tensor, (target) =>
        fillBackbone(target, role, model.family, scheme, source(generator, name)),
      );
    }
  }
  initialiseHead(model, generator);
}

/** A fresh head: weight and bias uniform within 1 / √(features), the default of `nn.Linear`. */
export function initialiseHead(model: ImageModel, generator: GeneratorSource): void {
  const head = [...model.namedParameters()].filter(([name]) => model.isHead(name));
  const features = head.find(([, { shape }]) => shape.length === 2)?.[1].shape[1] ?? 1;
  const bound = 1 / Math.sqrt(features);
  for (const [name, tensor] of head) {
    const draw = source(generator, name);
    fill(tensor, (target) => {
      initialise.uniform_(target, { low: -bound, high: bound, generator: draw() });
    });
  }
}

/** A stream that is made only for tensors that draw. */
function source(generator: GeneratorSource, name: string): () => Generator {
  return () => (typeof generator === 'function' ? generator(name) : generator);
}

/**
 * Draws on the CPU in row-major order and copies, so that the values depend neither on the device nor on
 * the layout of the tensor.
 */
function fill(tensor: Tensor, draw: (target: Tensor) => void): void {
  noGrad(() =>
    scope(() => {
      const drawn = ops.zeros(tensor.shape, { dtype: tensor.dtype });
      draw(drawn);
      ops.copy_(tensor, drawn);
    }),
  );
}

function fillBackbone(
  target: Tensor,
  { layer, part }: TensorRole,
  family: ImageModel['family'],
  scheme: RandomScheme,
  generator: () => Generator,
): void {
  if (layer === 'norm') {
    if (part === 'weight' || part === 'running_var') initialise.ones_(target);
    return;
  }
  if (part !== 'weight') return;
  if (layer === 'token') {
    initialise.truncatedNormal_(target, { std: tokenDeviation, generator: generator() });
  } else if (scheme === 'kaiming' || (layer === 'convolution' && family === 'cnn')) {
    const options = { mode: 'fan_out', nonlinearity: 'relu', generator: generator() } as const;
    initialise.kaimingNormal_(target, options);
  } else if (layer === 'linear') {
    initialise.truncatedNormal_(target, { std: tokenDeviation, generator: generator() });
  } else {
    initialise.linearDefault_({ weight: target, bias: undefined }, generator());
  }
}
