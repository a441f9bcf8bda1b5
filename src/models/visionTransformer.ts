/**
 * Vision transformers (Dosovitskiy et al. 2021) in the form of DeiT without distillation token (Touvron et
 * al. 2021), with the names of facebookresearch/deit and timm; LayerNorm epsilon 1e-6.
 * https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vision_transformer.py
 */
import { Conv2d, LayerNorm, Linear, Module, selfAttention } from '../nn/index.ts';
import { ops, type Tensor } from '../tensor/index.ts';
import { RequestError } from '../util/index.ts';
import {
  ImageModel,
  type ModelIdentity,
  type ModuleGroup,
  type Segment,
  type SegmentResult,
  type Tap,
} from './model.ts';
import { ModuleList } from './moduleList.ts';
import { Perceptron } from './perceptron.ts';

/** What tells one vision transformer from another. */
export interface VisionTransformerArchitecture {
  /** Features per token, D. */
  width: number;
  /** Number of blocks. */
  depth: number;
  heads: number;
  /** Height and width of a patch in pixels. */
  patchSize: number;
}

const layerNorm = { epsilon: 1e-6 };

/** Patches to tokens by one linear map: a convolution whose stride is its kernel. */
class PatchEmbedding extends Module {
  readonly #proj: Conv2d;

  constructor(channels: number, width: number, patchSize: number) {
    super();
    this.#proj = this.child('proj', new Conv2d(channels, width, patchSize, { stride: patchSize }));
  }

  /** [B, C, S, S] to [B, (S / patch)², D]; no copy if the convolution's output is channels-last. */
  forward(images: Tensor): Tensor {
    return ops.transpose(ops.flatten(this.#proj.forward(images), 2), 1, 2);
  }
}

class AttentionModule extends Module {
  readonly #qkv: Linear;
  readonly #proj: Linear;
  readonly #heads: number;

  constructor(width: number, heads: number) {
    super();
    this.#qkv = this.child('qkv', new Linear(width, 3 * width));
    this.#proj = this.child('proj', new Linear(width, width));
    this.#heads = heads;
  }

  /** [B, T, D] to [B, queries, D]: what the first `queries` tokens gather from all. */
  forward(tokens: Tensor, queries?: number): { output: Tensor; weights: Tensor } {
    const { output, weights } = selfAttention(this.#qkv.forward(tokens), this.#heads, queries);
    return { output: this.#proj.forward(output), weights };
  }
}

/** Attention and perceptron, each on normalised tokens and added to them. */
class Block extends Module {
  readonly #norm1: LayerNorm;
  readonly #attn: AttentionModule;
  readonly #norm2: LayerNorm;
  readonly #mlp: Perceptron;

  constructor(width: number, heads: number) {
    super();
    this.#norm1 = this.child('norm1', new LayerNorm(width, { ...layerNorm, isForLinear: true }));
    this.#attn = this.child('attn', new AttentionModule(width, heads));
    this.#norm2 = this.child('norm2', new LayerNorm(width, { ...layerNorm, isForLinear: true }));
    this.#mlp = this.child('mlp', new Perceptron(width));
  }

  attend(tokens: Tensor): SegmentResult {
    const { output, weights } = this.#attn.forward(this.#norm1.forward(tokens));
    return { state: ops.add(tokens, output), tap: output, attention: weights };
  }

  /** The class token alone, [B, 1, D], after it attended to all tokens. */
  attendFromClassToken(tokens: Tensor): SegmentResult {
    const { output } = this.#attn.forward(this.#norm1.forward(tokens), 1);
    return { state: ops.add(ops.narrow(tokens, 1, 0, 1), output) };
  }

  transform(tokens: Tensor): SegmentResult {
    const output = this.#mlp.forward(this.#norm2.forward(tokens));
    return { state: ops.add(tokens, output), tap: output };
  }
}

export class VisionTransformer extends ImageModel {
  override readonly headPrefix = 'head.';
  override readonly firstConvolution = 'patch_embed.proj.weight';
  override readonly taps: readonly Tap[];
  override readonly groups: readonly ModuleGroup[];
  override readonly segments: readonly Segment[];
  readonly patchSize: number;

  constructor(identity: ModelIdentity, architecture: VisionTransformerArchitecture) {
    super(identity);
    const { width, depth, heads, patchSize } = architecture;
    const grid = gridOf(identity, patchSize);
    this.patchSize = patchSize;
    const classToken = this.parameter('cls_token', ops.zeros([1, 1, width]));
    const positions = this.parameter('pos_embed', ops.zeros([1, 1 + grid ** 2, width]));
    const patchEmbedding = this.child(
      'patch_embed',
      new PatchEmbedding(identity.inputChannels, width, patchSize),
    );
    const made = Array.from({ length: depth }, () => new Block(width, heads));
    const { items: blocks } = this.child('blocks', new ModuleList(made));
    const norm = this.child('norm', new LayerNorm(width, layerNorm));
    const head = this.child('head', new Linear(width, identity.classes));

    this.segments = [
      {
        name: 'patch_embed',
        run: (images) => {
          const patches = patchEmbedding.forward(images);
          return { state: patches, tap: patches };
        },
      },
      {
        name: 'pos_embed',
        run: (patches) => {
          const batch = patches.shape[0] ?? 0;
          const first = ops.expand(classToken, [batch, 1, width]);
          return { state: ops.add(ops.cat([first, patches], 1), positions) };
        },
      },
      ...blocks.flatMap((block, index): Segment[] => [
        {
          name: `blocks.${index}.attn`,
          // The head reads the class token alone: in the last block the patches' own outputs go nowhere.
          run: (tokens, lean) =>
            lean && index === depth - 1 ? block.attendFromClassToken(tokens) : block.attend(tokens),
        },
        { name: `blocks.${index}.mlp`, run: (tokens) => block.transform(tokens) },
      ]),
      // The norm works token by token and the head reads the class token alone.
      { name: 'norm', run: (tokens) => ({ state: norm.forward(ops.select(tokens, 1, 0)) }) },
      { name: 'head', run: (features) => ({ state: head.forward(features) }) },
    ];
    this.taps = [
      { name: 'patch_embed', prefixes: ['patch_embed.'], kind: 'tokens', hasClassToken: false },
      ...blocks.flatMap((_, index) =>
        ['attn', 'mlp'].map((part): Tap => {
          const name = `blocks.${index}.${part}`;
          return { name, prefixes: [`${name}.`], kind: 'tokens', hasClassToken: true };
        }),
      ),
    ];
    this.groups = [
      { name: 'patch_embed', prefixes: ['patch_embed.', 'cls_token', 'pos_embed'] },
      ...blocks.map((_, index) => ({ name: `blocks.${index}`, prefixes: [`blocks.${index}.`] })),
      { name: 'norm', prefixes: ['norm.'] },
    ];
  }
}

/** Patches along one side of the image. */
function gridOf({ id, inputSize }: ModelIdentity, patchSize: number): number {
  const grid = inputSize / patchSize;
  if (!Number.isInteger(grid)) {
    throw new RequestError({
      where: `image size of ${id}`,
      expected: `a multiple of its patch size, ${patchSize}`,
      got: String(inputSize),
      hint: `for example ${Math.max(1, Math.round(grid)) * patchSize}`,
    });
  }
  return grid;
}
