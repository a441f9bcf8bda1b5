/** Which network a checkpoint is of, told by its tensors' names and shapes, without building any. */
import { type Architecture, canonicalName, familyOf } from './families.ts';
import { bareNames } from './names.ts';
import { findBySignature } from './registry.ts';
import {
  inceptionSignature,
  resnetSignature,
  swinSignature,
  visionTransformerSignature,
} from './signatures.ts';

/** What a checkpoint's names and shapes tell. */
export interface RecognisedCheckpoint {
  architecture: Architecture;
  /** Whose names the file has. */
  family: string;
  /** What stands in front of the names, for example `module.backbone.`; empty where nothing does. */
  prefix: string;
  /** The network for people, registered or not: `a residual network of 3-4-6-3 bottleneck blocks, …`. */
  description: string;
  /** The registered model that it is, or undefined; `deit_small:5` for a vision transformer of 5 blocks. */
  model: string | undefined;
  /** Outputs of the head; undefined where there is none. */
  classes: number | undefined;
  inputChannels: number | undefined;
  /** Pixels of a side, where the tensors depend on it. */
  imageSize: number | undefined;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** What the tensors of one architecture tell. */
interface Findings {
  description: string;
  signature: string;
  depth?: number;
  firstConvolution: string;
  head: string;
  imageSize?: number;
}

/** How many of `prefix`0, `prefix`1, … there are, one after another. */
function countFrom(shapes: Shapes, nameOf: (index: number) => string): number {
  let count = 0;
  while (shapes.has(nameOf(count))) count += 1;
  return count;
}

function sizeOf(shapes: Shapes, name: string, axis: number): number {
  return shapes.get(name)?.[axis] ?? 0;
}

function examineResNet(shapes: Shapes): Findings {
  const block = shapes.has('layer1.0.conv3.weight') ? 'bottleneck' : 'basic';
  const count = (stage: number): number =>
    countFrom(shapes, (index) => `layer${stage}.${index}.conv1.weight`);
  const layers = [count(1), count(2), count(3), count(4)] as const;
  const width = sizeOf(shapes, 'conv1.weight', 0);
  return {
    description: `a residual network of ${layers.join('-')} ${block} blocks, ${width} channels wide`,
    signature: resnetSignature({ block, layers: [...layers], width }),
    firstConvolution: 'conv1.weight',
    head: 'fc.weight',
  };
}

function examineInception(): Findings {
  return {
    description: 'an Inception v3',
    signature: inceptionSignature,
    firstConvolution: 'Conv2d_1a_3x3.conv.weight',
    head: 'fc.weight',
  };
}

function examineVisionTransformer(shapes: Shapes): Findings {
  const width = sizeOf(shapes, 'patch_embed.proj.weight', 0);
  const patchSize = sizeOf(shapes, 'patch_embed.proj.weight', 2);
  const depth = countFrom(shapes, (index) => `blocks.${index}.attn.qkv.weight`);
  const isDistilled = shapes.has('dist_token');
  const grid = Math.sqrt(sizeOf(shapes, 'pos_embed', 1) - (isDistilled ? 2 : 1));
  const token = isDistilled ? ' with a distillation token, which none here has' : '';
  return {
    description: `a vision transformer of ${depth} blocks, ${width} wide, patches of ${patchSize} px${token}`,
    signature: isDistilled ? '' : visionTransformerSignature({ width, patchSize }),
    depth,
    firstConvolution: 'patch_embed.proj.weight',
    head: 'head.weight',
    ...(Number.isInteger(grid) ? { imageSize: grid * patchSize } : {}),
  };
}

function examineSwin(shapes: Shapes): Findings {
  const width = sizeOf(shapes, 'patch_embed.proj.weight', 0);
  const patchSize = sizeOf(shapes, 'patch_embed.proj.weight', 2);
  const qkv = (stage: number, block: number): string =>
    `layers.${stage}.blocks.${block}.attn.qkv.weight`;
  const table = (stage: number): string =>
    `layers.${stage}.blocks.0.attn.relative_position_bias_table`;
  const stages = countFrom(shapes, (stage) => qkv(stage, 0));
  const perStage = Array.from({ length: stages }, (_, stage) => stage);
  const depths = perStage.map((stage) => countFrom(shapes, (block) => qkv(stage, block)));
  const heads = perStage.map((stage) => sizeOf(shapes, table(stage), 1));
  const window = (Math.sqrt(sizeOf(shapes, table(0), 0)) + 1) / 2;
  return {
    description: `a Swin transformer of ${depths.join('-')} blocks, ${width} wide, patches of ${patchSize} px, windows of ${window}`,
    signature: swinSignature({ width, depths, heads, patchSize }),
    firstConvolution: 'patch_embed.proj.weight',
    head: 'head.weight',
    ...(Number.isInteger(window) ? { imageSize: window * patchSize * 2 ** (stages - 1) } : {}),
  };
}

const examiners: Record<Architecture, (shapes: Shapes) => Findings> = {
  resnet: examineResNet,
  inception: examineInception,
  vit: examineVisionTransformer,
  swin: examineSwin,
};

/** What stands in front of most names. */
function commonPrefix(bare: ReadonlyMap<string, string>): string {
  const counts = new Map<string, number>();
  for (const [fileName, name] of bare) {
    const prefix = fileName.slice(0, fileName.length - name.length);
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? '';
}

/**
 * What a checkpoint of these names and shapes is, or `undefined` where it is of no network known here. That a
 * model is named does not mean that every tensor fits it: `matchWeights` tells.
 * @throws WorkError as `bareNames`
 */
export function recogniseCheckpoint(shapes: Shapes): RecognisedCheckpoint | undefined {
  const bare = bareNames(shapes.keys());
  const all = new Set(bare.values());
  const family = familyOf(all);
  if (!family) return undefined;
  const { architecture, name } = family;
  const canonical = new Map(
    [...shapes].map(([fileName, shape]) => [
      canonicalName(architecture, bare.get(fileName) ?? fileName, all),
      shape,
    ]),
  );
  const findings = examiners[architecture](canonical);
  const headBias = findings.head.replace('.weight', '.bias');
  return {
    architecture,
    family: name,
    prefix: commonPrefix(bare),
    description: findings.description,
    model: findBySignature(findings.signature, findings.depth),
    classes: (canonical.get(findings.head) ?? canonical.get(headBias))?.[0],
    inputChannels: canonical.get(findings.firstConvolution)?.[1],
    imageSize: findings.imageSize,
  };
}
