/**
 * Swin transformers (Liu et al. 2021) with the names of microsoft/Swin-Transformer; LayerNorm epsilon 1e-5,
 * without stochastic depth.
 * https://github.com/microsoft/Swin-Transformer/blob/main/models/swin_transformer.py
 */
import { Conv2d, LayerNorm, Linear, Module } from '../nn/index.ts';
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
import { readSwinName } from './swinNames.ts';
import { WindowAttention, type WindowGeometry } from './windowAttention.ts';

/** What tells one Swin transformer from another. */
export interface SwinArchitecture {
  /** Features per token of the first stage; doubled at each. */
  width: number;
  /** Blocks of each stage. */
  depths: readonly number[];
  /** Heads of each stage. */
  heads: readonly number[];
  /** Height and width of a patch in pixels. */
  patchSize: number;
}

/** Patches to normalised tokens: a convolution whose stride is its kernel, and a norm. */
class PatchEmbedding extends Module {
  readonly #proj: Conv2d;
  readonly #norm: LayerNorm;

  constructor(channels: number, width: number, patchSize: number) {
    super();
    this.#proj = this.child('proj', new Conv2d(channels, width, patchSize, { stride: patchSize }));
    this.#norm = this.child('norm', new LayerNorm(width));
  }

  /** [B, C, S, S] to [B, (S / patch)², D]. */
  forward(images: Tensor): Tensor {
    const patches = ops.flatten(this.#proj.forward(images), 2);
    return this.#norm.forward(ops.transpose(patches, 1, 2));
  }
}

/** Half the resolution, twice the features: squares of four tokens side by side, by one linear map. */
class PatchMerging extends Module {
  readonly #reduction: Linear;
  readonly #norm: LayerNorm;
  readonly #grid: number;

  constructor(width: number, grid: number) {
    super();
    this.#reduction = this.child('reduction', new Linear(4 * width, 2 * width, { bias: false }));
    this.#norm = this.child('norm', new LayerNorm(4 * width, { isForLinear: true }));
    this.#grid = grid;
  }

  /** [B, grid², D] to [B, (grid / 2)², 2 D]; the four in the order left column, right column. */
  forward(tokens: Tensor): Tensor {
    const [batch = 0, , width = 0] = tokens.shape;
    const half = this.#grid / 2;
    const squares = ops.reshape(tokens, [batch, half, 2, half, 2, width]);
    const merged = ops.reshape(ops.permute(squares, [0, 1, 3, 4, 2, 5]), [
      batch,
      half ** 2,
      4 * width,
    ]);
    return this.#reduction.forward(this.#norm.forward(merged));
  }
}

/** Window attention and perceptron, each on normalised tokens and added to them. */
class Block extends Module {
  readonly #norm1: LayerNorm;
  readonly #attn: WindowAttention;
  readonly #norm2: LayerNorm;
  readonly #mlp: Perceptron;

  constructor(width: number, heads: number, geometry: WindowGeometry) {
    super();
    this.#norm1 = this.child('norm1', new LayerNorm(width, { isForLinear: true }));
    this.#attn = this.child('attn', new WindowAttention(width, heads, geometry));
    this.#norm2 = this.child('norm2', new LayerNorm(width, { isForLinear: true }));
    this.#mlp = this.child('mlp', new Perceptron(width));
  }

  attend(tokens: Tensor): SegmentResult {
    const output = this.#attn.forward(this.#norm1.forward(tokens));
    return { state: ops.add(tokens, output), tap: output };
  }

  transform(tokens: Tensor): SegmentResult {
    const output = this.#mlp.forward(this.#norm2.forward(tokens));
    return { state: ops.add(tokens, output), tap: output };
  }
}

/** Blocks of one resolution, and the merging to the next. */
class Stage extends Module {
  readonly blocks: readonly Block[];
  readonly downsample: PatchMerging | undefined;

  constructor(blocks: readonly Block[], downsample: PatchMerging | undefined) {
    super();
    this.blocks = this.child('blocks', new ModuleList(blocks)).items;
    this.downsample = downsample && this.child('downsample', downsample);
  }
}

export class SwinTransformer extends ImageModel {
  override readonly headPrefix = 'head.';
  override readonly firstConvolution = 'patch_embed.proj.weight';
  override readonly taps: readonly Tap[];
  override readonly groups: readonly ModuleGroup[];
  override readonly segments: readonly Segment[];

  constructor(identity: ModelIdentity, architecture: SwinArchitecture) {
    super(identity);
    const { width, depths, heads, patchSize } = architecture;
    const { grid, window } = layoutOf(identity, architecture);
    const patchEmbedding = this.child(
      'patch_embed',
      new PatchEmbedding(identity.inputChannels, width, patchSize),
    );
    const made = depths.map((depth, index) => {
      const stageGrid = grid / 2 ** index;
      const stageWidth = width * 2 ** index;
      const blocks = Array.from({ length: depth }, (_, position) => {
        // Every other block's windows are shifted, but not where one window is all.
        const shift = position % 2 === 1 && window < stageGrid ? Math.floor(window / 2) : 0;
        return new Block(stageWidth, heads[index] ?? 1, { grid: stageGrid, window, shift });
      });
      const isLast = index === depths.length - 1;
      return new Stage(blocks, isLast ? undefined : new PatchMerging(stageWidth, stageGrid));
    });
    const { items: stages } = this.child('layers', new ModuleList(made));
    const features = width * 2 ** (depths.length - 1);
    const norm = this.child('norm', new LayerNorm(features));
    const head = this.child('head', new Linear(features, identity.classes));

    const stageSegments = stages.flatMap(({ blocks, downsample }, stage): Segment[] => [
      ...blocks.flatMap((block, index): Segment[] => [
        { name: `layers.${stage}.blocks.${index}.attn`, run: (tokens) => block.attend(tokens) },
        { name: `layers.${stage}.blocks.${index}.mlp`, run: (tokens) => block.transform(tokens) },
      ]),
      ...(downsample
        ? [
            {
              name: `layers.${stage}.downsample`,
              run: (tokens: Tensor) => ({ state: downsample.forward(tokens) }),
            },
          ]
        : []),
    ]);
    this.segments = [
      {
        name: 'patch_embed',
        run: (images) => {
          const patches = patchEmbedding.forward(images);
          return { state: patches, tap: patches };
        },
      },
      ...stageSegments,
      { name: 'norm', run: (tokens) => ({ state: ops.mean(norm.forward(tokens), [1]) }) },
      { name: 'head', run: (state) => ({ state: head.forward(state) }) },
    ];
    const blockNames = stages.map(({ blocks }, stage) =>
      blocks.map((_, index) => `layers.${stage}.blocks.${index}`),
    );
    this.taps = [
      'patch_embed',
      ...blockNames.flat().flatMap((name) => [`${name}.attn`, `${name}.mlp`]),
    ].map((name) => ({ name, prefixes: [`${name}.`], kind: 'tokens', hasClassToken: false }));
    this.groups = [
      { name: 'patch_embed', prefixes: ['patch_embed.'] },
      // A patch merging, which upstream keeps at the end of a stage, belongs to the block that it feeds.
      ...blockNames.flatMap((names, stage) =>
        names.map((name, index) => ({
          name,
          prefixes:
            stage > 0 && index === 0
              ? [`layers.${stage - 1}.downsample.`, `${name}.`]
              : [`${name}.`],
        })),
      ),
      { name: 'norm', prefixes: ['norm.'] },
    ];
  }

  override readCheckpointName(
    name: string,
    all: ReadonlySet<string>,
  ): { name: string } | { ignored: string } {
    return readSwinName(name, all);
  }
}

/**
 * Tokens along one side of the image, and of a window: at the last resolution one window is the whole
 * image, so that windows tile it at every resolution. That is 7 at 224 pixels, 8 at 256 and 12 at 384, as
 * published.
 */
function layoutOf(
  { id, inputSize }: ModelIdentity,
  { patchSize, depths }: SwinArchitecture,
): { grid: number; window: number } {
  const multiple = patchSize * 2 ** (depths.length - 1);
  const window = inputSize / multiple;
  if (!Number.isInteger(window)) {
    throw new RequestError({
      where: `image size of ${id}`,
      expected: `a multiple of ${multiple}, so that windows tile it at every resolution`,
      got: String(inputSize),
      hint: `for example ${Math.max(1, Math.round(window)) * multiple}`,
    });
  }
  return { grid: inputSize / patchSize, window };
}
