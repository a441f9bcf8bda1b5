/**
 * Residual networks (He et al. 2016) with torchvision's names and semantics: in a bottleneck the stride
 * sits in the 3 x 3 convolution (version 1.5).
 * https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py
 */
import {
  BatchNorm2d,
  Conv2d,
  globalAveragePool,
  Layer,
  Linear,
  MaxPool2d,
  Sequential,
} from '../nn/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { RequestError } from '../util/index.ts';
import { readResNetName } from './childNames.ts';
import {
  ImageModel,
  type ModelIdentity,
  type ModuleGroup,
  type Segment,
  type Tap,
} from './model.ts';

/** What tells one residual network from another. */
export interface ResNetArchitecture {
  block: 'basic' | 'bottleneck';
  /** Blocks in each of the four stages. */
  layers: readonly [number, number, number, number];
  /** Channels of the stem and of the first stage's 3 x 3 convolutions; doubled at each stage. */
  width: number;
}

/** Two 3 x 3 convolutions and a shortcut. */
class BasicBlock extends Layer {
  static readonly expansion = 1;
  readonly #conv1: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #conv2: Conv2d;
  readonly #bn2: BatchNorm2d;
  readonly #downsample: Layer | undefined;

  constructor(inputs: number, width: number, stride: number, downsample: Layer | undefined) {
    super();
    this.#conv1 = this.child('conv1', convolution(inputs, width, 3, stride));
    this.#bn1 = this.child('bn1', new BatchNorm2d(width));
    this.#conv2 = this.child('conv2', convolution(width, width, 3, 1));
    this.#bn2 = this.child('bn2', new BatchNorm2d(width));
    this.#downsample = downsample && this.child('downsample', downsample);
  }

  override forward(input: Tensor): Tensor {
    const middle = this.#bn1.activate(this.#conv1.forward(input));
    const shortcut = this.#downsample ? this.#downsample.forward(input) : input;
    return this.#bn2.activate(this.#conv2.forward(middle), shortcut);
  }
}

/** 1 x 1 to the block's width, 3 x 3, 1 x 1 to four times the width, and a shortcut. */
class Bottleneck extends Layer {
  static readonly expansion = 4;
  readonly #conv1: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #conv2: Conv2d;
  readonly #bn2: BatchNorm2d;
  readonly #conv3: Conv2d;
  readonly #bn3: BatchNorm2d;
  readonly #downsample: Layer | undefined;

  constructor(inputs: number, width: number, stride: number, downsample: Layer | undefined) {
    super();
    const outputs = width * Bottleneck.expansion;
    this.#conv1 = this.child('conv1', convolution(inputs, width, 1, 1));
    this.#bn1 = this.child('bn1', new BatchNorm2d(width));
    this.#conv2 = this.child('conv2', convolution(width, width, 3, stride));
    this.#bn2 = this.child('bn2', new BatchNorm2d(width));
    this.#conv3 = this.child('conv3', convolution(width, outputs, 1, 1));
    this.#bn3 = this.child('bn3', new BatchNorm2d(outputs));
    this.#downsample = downsample && this.child('downsample', downsample);
  }

  override forward(input: Tensor): Tensor {
    const narrow = this.#bn1.activate(this.#conv1.forward(input));
    const middle = this.#bn2.activate(this.#conv2.forward(narrow));
    const shortcut = this.#downsample ? this.#downsample.forward(input) : input;
    return this.#bn3.activate(this.#conv3.forward(middle), shortcut);
  }
}

/**
 * Below this the last stage would halve a single pixel. oneDNN, as LibTorch 1.13 has it, then leaves the
 * bfloat16 gradient of the taps that only see padding as it finds the memory.
 */
const smallestSize = 17;

/** @throws RequestError */
function requireSize({ id, inputSize }: ModelIdentity): void {
  if (inputSize >= smallestSize) return;
  throw new RequestError({
    where: `image size of ${id}`,
    expected: `at least ${smallestSize}, so that there are pixels at every stage`,
    got: String(inputSize),
  });
}

const blocks = { basic: BasicBlock, bottleneck: Bottleneck };
const stageNames = ['layer1', 'layer2', 'layer3', 'layer4'] as const;

export class ResNet extends ImageModel {
  override readonly headPrefix = 'fc.';
  override readonly firstConvolution = 'conv1.weight';
  override readonly taps: readonly Tap[];
  override readonly groups: readonly ModuleGroup[];
  override readonly segments: readonly Segment[];

  constructor(identity: ModelIdentity, { block, layers, width }: ResNetArchitecture) {
    super(identity);
    requireSize(identity);
    const conv1 = this.child('conv1', convolution(identity.inputChannels, width, 7, 2));
    const bn1 = this.child('bn1', new BatchNorm2d(width));
    const maxPool = new MaxPool2d(3, { stride: 2, padding: 1 });
    let channels = width;
    const stages = stageNames.map((name, index) => {
      const stageWidth = width * 2 ** index;
      const stride = index === 0 ? 1 : 2;
      const stage = makeStage(block, channels, stageWidth, layers[index] ?? 0, stride);
      channels = stageWidth * blocks[block].expansion;
      return { name, stage: this.child(name, stage) };
    });
    const fc = this.child('fc', new Linear(channels, identity.classes));

    const blockSegments = stages.flatMap(({ name, stage }) =>
      stage.layers.map(
        (layer, index): Segment => ({
          name: `${name}.${index}`,
          run: (state) => sameStateAndTap(layer.forward(state)),
        }),
      ),
    );
    this.segments = [
      // Channels-last is the layout in which LibTorch's convolutions are fastest; no copy if it is so already.
      {
        name: 'conv1',
        run: (images) => sameStateAndTap(conv1.forward(images.contiguous('channelsLast'))),
      },
      { name: 'bn1', run: (state) => ({ state: maxPool.forward(bn1.activate(state)) }) },
      ...blockSegments,
      { name: 'avgpool', run: (state) => ({ state: globalAveragePool(state) }) },
      { name: 'fc', run: (state) => ({ state: fc.forward(state) }) },
    ];
    this.taps = ['conv1', ...blockSegments.map(({ name }) => name)].map((name) => ({
      name,
      prefixes: [`${name}.`],
      kind: 'spatial',
      hasClassToken: false,
    }));
    this.groups = ['conv1', 'bn1', ...stageNames].map((name) => ({ name, prefixes: [`${name}.`] }));
  }

  override readCheckpointName(name: string, all: ReadonlySet<string>): { name: string } {
    return { name: readResNetName(name, all) };
  }

  protected override fitsSize(height: number, width: number): boolean {
    return height > 0 && width > 0;
  }
}

/** One resolution's blocks; the first changes resolution and width, and projects its shortcut to match. */
function makeStage(
  kind: ResNetArchitecture['block'],
  inputs: number,
  width: number,
  count: number,
  stride: number,
): Sequential {
  const Block = blocks[kind];
  const outputs = width * Block.expansion;
  return new Sequential(
    Array.from({ length: count }, (_, index) => {
      if (index > 0) return new Block(outputs, width, 1, undefined);
      const projected = stride !== 1 || inputs !== outputs;
      const downsample = projected
        ? new Sequential([convolution(inputs, outputs, 1, stride), new BatchNorm2d(outputs)])
        : undefined;
      return new Block(inputs, width, stride, downsample);
    }),
  );
}

/** A convolution without bias that keeps the resolution but for its stride. */
function convolution(inputs: number, outputs: number, kernel: number, stride: number): Conv2d {
  return new Conv2d(inputs, outputs, kernel, { stride, padding: (kernel - 1) / 2, bias: false });
}

function sameStateAndTap(value: Tensor): { state: Tensor; tap: Tensor } {
  return { state: value, tap: value };
}
