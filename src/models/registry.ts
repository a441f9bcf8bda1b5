/** The architectures by id: one line each. */
import { nearestNames, RequestError } from '../util/index.ts';
import { InceptionV3 } from './inception.ts';
import type { ImageModel, ModelIdentity, ModelOptions } from './model.ts';
import { ResNet, type ResNetArchitecture } from './resnet.ts';
import {
  inceptionSignature,
  resnetSignature,
  swinSignature,
  visionTransformerSignature,
} from './signatures.ts';
import { type SwinArchitecture, SwinTransformer } from './swinTransformer.ts';
import { VisionTransformer, type VisionTransformerArchitecture } from './visionTransformer.ts';

/** An architecture that can be built by its id. */
interface ModelDefinition {
  family: ImageModel['family'];
  /** Height and width of the images in pixels, unless the user says otherwise. */
  imageSize: number;
  /** Trainable numbers with 1,000 classes and three channels; a test counts them. */
  parameters: number;
  /** Families of published checkpoints that load as they are; none for our own small variants. */
  checkpoints: readonly string[];
  /** Blocks of a network that may be truncated to its first k, as `id:k`. */
  depth?: number;
  /** What tells its checkpoints from others', where `recogniseCheckpoint` is to name the model. */
  signature?: string;
  build(identity: ModelIdentity, depth: number | undefined): ImageModel;
}

function resnet(
  block: ResNetArchitecture['block'],
  layers: ResNetArchitecture['layers'],
  parameters: number,
  {
    imageSize = 224,
    width = 64,
    checkpoints = ['torchvision', 'timm', 'RadImageNet'],
  }: { imageSize?: number; width?: number; checkpoints?: string[] } = {},
): ModelDefinition {
  const architecture = { block, layers, width };
  const signature = resnetSignature(architecture);
  const build = (identity: ModelIdentity) => new ResNet(identity, architecture);
  return { family: 'cnn', imageSize, parameters, checkpoints, signature, build };
}

function visionTransformer(
  architecture: VisionTransformerArchitecture,
  parameters: number,
  {
    imageSize = 224,
    checkpoints = ['facebookresearch/deit', 'timm'],
  }: { imageSize?: number; checkpoints?: string[] } = {},
): ModelDefinition {
  const { depth } = architecture;
  const signature = visionTransformerSignature(architecture);
  const build = (identity: ModelIdentity, blocks = depth) =>
    new VisionTransformer(identity, { ...architecture, depth: blocks });
  return { family: 'vit', imageSize, parameters, checkpoints, depth, signature, build };
}

function inceptionV3(parameters: number): ModelDefinition {
  const build = (identity: ModelIdentity) => new InceptionV3(identity);
  const checkpoints = ['torchvision', 'RadImageNet'];
  const signature = inceptionSignature;
  return { family: 'cnn', imageSize: 224, parameters, checkpoints, signature, build };
}

function swinTransformer(
  architecture: SwinArchitecture,
  parameters: number,
  {
    imageSize = 224,
    checkpoints = ['microsoft/Swin-Transformer', 'timm', 'torchvision'],
  }: { imageSize?: number; checkpoints?: string[] } = {},
): ModelDefinition {
  const signature = swinSignature(architecture);
  const build = (identity: ModelIdentity) => new SwinTransformer(identity, architecture);
  return { family: 'vit', imageSize, parameters, checkpoints, signature, build };
}

const definitions = new Map<string, ModelDefinition>([
  ['resnet18', resnet('basic', [2, 2, 2, 2], 11_689_512)],
  ['resnet50', resnet('bottleneck', [3, 4, 6, 3], 25_557_032)],
  ['resnet152', resnet('bottleneck', [3, 8, 36, 3], 60_192_808)],
  [
    'resnet18_micro',
    resnet('basic', [2, 2, 2, 2], 831_096, { imageSize: 64, width: 16, checkpoints: [] }),
  ],
  ['inception_v3', inceptionV3(23_834_568)],
  ['deit_tiny', visionTransformer({ width: 192, depth: 12, heads: 3, patchSize: 16 }, 5_717_416)],
  ['deit_small', visionTransformer({ width: 384, depth: 12, heads: 6, patchSize: 16 }, 22_050_664)],
  ['deit_base', visionTransformer({ width: 768, depth: 12, heads: 12, patchSize: 16 }, 86_567_656)],
  [
    'deit_micro',
    visionTransformer({ width: 96, depth: 6, heads: 3, patchSize: 8 }, 793_096, {
      imageSize: 64,
      checkpoints: [],
    }),
  ],
  [
    'swin_tiny',
    swinTransformer(
      { width: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24], patchSize: 4 },
      28_288_354,
    ),
  ],
  [
    'swin_micro',
    swinTransformer(
      { width: 24, depths: [1, 1, 2, 1], heads: [1, 2, 4, 8], patchSize: 2 },
      996_827,
      { imageSize: 64, checkpoints: [] },
    ),
  ],
]);

/** All model ids, in the registry's order. Those of vision transformers can be followed by `:k`. */
export function modelIds(): string[] {
  return [...definitions.keys()];
}

/**
 * The registered model of that signature, or `undefined`; with `:k` where a vision transformer has another
 * number of blocks, `depth`, than the registered one.
 */
export function findBySignature(signature: string, depth?: number): string | undefined {
  for (const [id, definition] of definitions) {
    if (definition.signature !== signature) continue;
    return depth === undefined || depth === definition.depth ? id : `${id}:${depth}`;
  }
  return undefined;
}

export interface ModelDescription {
  id: string;
  family: ImageModel['family'];
  /** Height and width of the images in pixels, unless the user says otherwise. */
  imageSize: number;
  /** Trainable numbers with 1,000 classes and three channels; `undefined` for a truncated network. */
  parameters: number | undefined;
  /** Families of published checkpoints that load as they are. */
  checkpoints: readonly string[];
  /** Blocks, of a network that may be truncated (`id:k`). */
  depth: number | undefined;
}

/**
 * What is known of a model without building it.
 * @throws RequestError for an unknown id, with the nearest valid ones.
 */
export function describeModel(id: string): ModelDescription {
  const { definition, depth } = findDefinition(id);
  const { family, imageSize, parameters, checkpoints } = definition;
  const truncated = depth !== undefined && depth !== definition.depth;
  return {
    id,
    family,
    imageSize,
    parameters: truncated ? undefined : parameters,
    checkpoints,
    depth: depth ?? definition.depth,
  };
}

/**
 * Builds the network of that id. Convolutions and linear layers are zero until weights are loaded or
 * initialised; norms are the identity.
 *
 * @param id a registered id, or one of a vision transformer with `:k` for its first k blocks (`deit_small:5`).
 * @throws RequestError for an unknown id, with the nearest valid ones, and for options that do not fit.
 */
export function createModel(id: string, options: ModelOptions): ImageModel {
  const { definition, depth } = findDefinition(id);
  const { classes, inputChannels = 3, imageSize = definition.imageSize } = options;
  requireCount(`classes of ${id}`, classes);
  requireCount(`image size of ${id}`, imageSize);
  if (inputChannels !== 1 && inputChannels !== 3) {
    throw new RequestError({
      where: `input channels of ${id}`,
      expected: '1 or 3',
      got: String(inputChannels),
    });
  }
  const { family } = definition;
  const identity = { id, family, classes, inputChannels, inputSize: imageSize };
  const model = definition.build(identity, depth);
  return family === 'cnn' ? model.to({ memoryFormat: 'channelsLast' }) : model;
}

function findDefinition(id: string): { definition: ModelDefinition; depth: number | undefined } {
  const [base = '', ...suffix] = id.split(':');
  const definition = definitions.get(base);
  if (!definition) {
    const nearest = nearestNames(base, definitions.keys());
    throw new RequestError({
      where: 'model',
      expected: `one of ${modelIds().join(', ')}`,
      got: id,
      hint: nearest.length > 0 ? `did you mean ${nearest.join(' or ')}?` : undefined,
    });
  }
  if (suffix.length === 0) return { definition, depth: undefined };
  const depth = /^[1-9]\d{0,3}$/.test(suffix.join(':')) ? Number(suffix[0]) : undefined;
  if (depth === undefined || definition.depth === undefined) {
    throw new RequestError({
      where: `model ${base}`,
      expected:
        definition.depth === undefined
          ? 'no number of blocks: only vision transformers are truncated'
          : `a number of blocks after the colon, as in ${base}:${Math.min(5, definition.depth)}`,
      got: id,
    });
  }
  return { definition, depth };
}

function requireCount(where: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RequestError({ where, expected: 'a positive whole number', got: String(value) });
  }
}
