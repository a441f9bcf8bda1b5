/**
 * Inception v3 (Szegedy et al. 2016) with torchvision's names and semantics, without its auxiliary head and
 * without its transform of the input; batch norm's epsilon is 0.001.
 * https://github.com/pytorch/vision/blob/main/torchvision/models/inception.py
 */
import {
  asPair,
  BatchNorm2d,
  Conv2d,
  type ConvolutionOptions,
  Dropout,
  globalAveragePool,
  Layer,
  Linear,
  MaxPool2d,
  type Pair,
} from '../nn/index.ts';
import { ops, scope, type Tensor } from '../tensor/index.ts';
import { RequestError } from '../util/index.ts';
import { readInceptionName } from './childNames.ts';
import {
  ImageModel,
  type ModelIdentity,
  type ModuleGroup,
  type Segment,
  type Tap,
} from './model.ts';

/** Smaller images vanish before the last blocks. */
const smallestImage = 75;

/**
 * How the pooled branches of the blocks that keep the resolution make one of a 3 x 3 window: the mean with
 * the padding's zeros counted (torchvision), or without them, or the maximum.
 */
type BranchPool = 'mean' | 'meanWithoutPadding' | 'maximum';

/**
 * Which network the weights are of: torchvision's, or the TensorFlow graph of 2015-12-05 that FID is
 * defined with, whose means leave the padding out and whose last block pools by maximum.
 * https://github.com/mseitzer/pytorch-fid/blob/master/src/pytorch_fid/inception.py
 */
export type InceptionPools = 'torchvision' | 'fid';

/** Convolution without bias, batch norm, ReLU. */
class ConvolutionBlock extends Layer {
  readonly #conv: Conv2d;
  readonly #bn: BatchNorm2d;

  constructor(inputs: number, outputs: number, kernel: Pair, options: ConvolutionOptions = {}) {
    super();
    this.#conv = this.child(
      'conv',
      new Conv2d(inputs, outputs, kernel, { ...options, bias: false }),
    );
    this.#bn = this.child('bn', new BatchNorm2d(outputs, { epsilon: 0.001 }));
  }

  override forward(input: Tensor): Tensor {
    return this.#bn.activate(this.#conv.forward(input));
  }

  /**
   * The block, 1 x 1, on each 3 x 3 window of the input made one. A mean of projections is the projection
   * of the mean, and there are several times fewer channels after it.
   */
  forwardOnWindows(input: Tensor, pool: BranchPool): Tensor {
    if (pool === 'maximum') return this.forward(ops.maxPool2d(input, [3, 3], [1, 1], [1, 1]));
    const countsPadding = pool === 'mean';
    const projected = this.#conv.forward(input);
    const means = ops.avgPool2d(projected, [3, 3], [1, 1], [1, 1], false, countsPadding);
    return this.#bn.activate(means);
  }
}

/** A convolution block of a branch: upstream name, output channels, kernel [height, width], stride. */
type Step = readonly [name: string, outputs: number, kernel: Pair, stride?: 1 | 2];

/** Blocks one after another on the input; the last of them may be several side by side. */
interface Branch {
  /** What happens to the input first: the mean of 3 x 3 windows. */
  averaged?: true;
  steps: readonly Step[];
  /** Each on the result of the steps. */
  sideBySide?: readonly Step[];
}

/** What tells one `Mixed_*` block from another. */
interface MixedArchitecture {
  branches: readonly Branch[];
  /** Whether resolution halves: the maximum of 3 x 3 windows of the input is a branch too, the last. */
  halves?: true;
}

/** Branches on the same input, their outputs one after another in the channels. */
class Mixed extends Layer {
  /** Channels out. */
  readonly outputs: number;
  readonly #branches: readonly ((input: Tensor) => Tensor[])[];

  constructor(
    inputs: number,
    { branches, halves = undefined }: MixedArchitecture,
    pool: BranchPool = 'mean',
  ) {
    super();
    let outputs = halves ? inputs : 0;
    const made = branches.map(({ averaged, steps, sideBySide }) => {
      let channels = inputs;
      const inOrder = steps.map((step) => {
        const block = this.#add(channels, step);
        channels = step[1];
        return block;
      });
      const last = sideBySide?.map((step) => this.#add(channels, step));
      outputs += sideBySide?.reduce((sum, step) => sum + step[1], 0) ?? channels;
      return (input: Tensor) => {
        const value = inOrder.reduce(
          (current, block) =>
            averaged ? block.forwardOnWindows(current, pool) : block.forward(current),
          input,
        );
        return last ? last.map((block) => block.forward(value)) : [value];
      };
    });
    const maximum = new MaxPool2d(3, { stride: 2 });
    this.#branches = halves ? [...made, (input) => [maximum.forward(input)]] : made;
    this.outputs = outputs;
  }

  /** Stride 1 keeps the resolution; stride 2 has no padding. */
  #add(inputs: number, [name, outputs, kernel, stride = 1]: Step): ConvolutionBlock {
    const [height, width] = asPair(kernel);
    const padding: Pair = stride === 1 ? [(height - 1) / 2, (width - 1) / 2] : 0;
    return this.child(name, new ConvolutionBlock(inputs, outputs, kernel, { stride, padding }));
  }

  override forward(input: Tensor): Tensor {
    return ops.cat(
      this.#branches.flatMap((branch) => scope(() => branch(input))),
      1,
    );
  }
}

/** 1 x 1, 5 x 5, twice 3 x 3, and a projected mean. */
function mixedA(pooled: number): MixedArchitecture {
  return {
    branches: [
      { steps: [['branch1x1', 64, 1]] },
      {
        steps: [
          ['branch5x5_1', 48, 1],
          ['branch5x5_2', 64, 5],
        ],
      },
      {
        steps: [
          ['branch3x3dbl_1', 64, 1],
          ['branch3x3dbl_2', 96, 3],
          ['branch3x3dbl_3', 96, 3],
        ],
      },
      { averaged: true, steps: [['branch_pool', pooled, 1]] },
    ],
  };
}

/** To half the resolution after the first three blocks. */
const mixedB: MixedArchitecture = {
  halves: true,
  branches: [
    { steps: [['branch3x3', 384, 3, 2]] },
    {
      steps: [
        ['branch3x3dbl_1', 64, 1],
        ['branch3x3dbl_2', 96, 3],
        ['branch3x3dbl_3', 96, 3, 2],
      ],
    },
  ],
};

/** 7 x 7 as a row and a column, `width` channels wide. */
function mixedC(width: number): MixedArchitecture {
  return {
    branches: [
      { steps: [['branch1x1', 192, 1]] },
      {
        steps: [
          ['branch7x7_1', width, 1],
          ['branch7x7_2', width, [1, 7]],
          ['branch7x7_3', 192, [7, 1]],
        ],
      },
      {
        steps: [
          ['branch7x7dbl_1', width, 1],
          ['branch7x7dbl_2', width, [7, 1]],
          ['branch7x7dbl_3', width, [1, 7]],
          ['branch7x7dbl_4', width, [7, 1]],
          ['branch7x7dbl_5', 192, [1, 7]],
        ],
      },
      { averaged: true, steps: [['branch_pool', 192, 1]] },
    ],
  };
}

/** To half the resolution before the last two blocks. */
const mixedD: MixedArchitecture = {
  halves: true,
  branches: [
    {
      steps: [
        ['branch3x3_1', 192, 1],
        ['branch3x3_2', 320, 3, 2],
      ],
    },
    {
      steps: [
        ['branch7x7x3_1', 192, 1],
        ['branch7x7x3_2', 192, [1, 7]],
        ['branch7x7x3_3', 192, [7, 1]],
        ['branch7x7x3_4', 192, 3, 2],
      ],
    },
  ],
};

/** 3 x 3 as a row and a column side by side. */
const mixedE: MixedArchitecture = {
  branches: [
    { steps: [['branch1x1', 320, 1]] },
    {
      steps: [['branch3x3_1', 384, 1]],
      sideBySide: [
        ['branch3x3_2a', 384, [1, 3]],
        ['branch3x3_2b', 384, [3, 1]],
      ],
    },
    {
      steps: [
        ['branch3x3dbl_1', 448, 1],
        ['branch3x3dbl_2', 384, 3],
      ],
      sideBySide: [
        ['branch3x3dbl_3a', 384, [1, 3]],
        ['branch3x3dbl_3b', 384, [3, 1]],
      ],
    },
    { averaged: true, steps: [['branch_pool', 192, 1]] },
  ],
};

const mixedBlocks: readonly (readonly [name: string, MixedArchitecture])[] = [
  ['Mixed_5b', mixedA(32)],
  ['Mixed_5c', mixedA(64)],
  ['Mixed_5d', mixedA(64)],
  ['Mixed_6a', mixedB],
  ['Mixed_6b', mixedC(128)],
  ['Mixed_6c', mixedC(160)],
  ['Mixed_6d', mixedC(160)],
  ['Mixed_6e', mixedC(192)],
  ['Mixed_7a', mixedD],
  ['Mixed_7b', mixedE],
  ['Mixed_7c', mixedE],
];

/** The stem: name, input and output channels, kernel, options; `undefined` inputs are the image's. */
const stemBlocks: readonly (readonly [
  name: string,
  inputs: number | undefined,
  outputs: number,
  kernel: number,
  options?: ConvolutionOptions,
])[] = [
  ['Conv2d_1a_3x3', undefined, 32, 3, { stride: 2 }],
  ['Conv2d_2a_3x3', 32, 32, 3],
  ['Conv2d_2b_3x3', 32, 64, 3, { padding: 1 }],
  ['Conv2d_3b_1x1', 64, 80, 1],
  ['Conv2d_4a_3x3', 80, 192, 3],
];

/** Pools behind these blocks of the stem, by upstream name. */
const stemPools = new Map([
  ['Conv2d_2b_3x3', 'maxpool1'],
  ['Conv2d_4a_3x3', 'maxpool2'],
]);

const moduleGroups: readonly (readonly [name: string, members: readonly string[]])[] = [
  ['Conv2d_1a', ['Conv2d_1a_3x3']],
  ['Conv2d_2', ['Conv2d_2a_3x3', 'Conv2d_2b_3x3']],
  ['Conv2d_3b', ['Conv2d_3b_1x1']],
  ['Conv2d_4a', ['Conv2d_4a_3x3']],
  ['Mixed_5', ['Mixed_5b', 'Mixed_5c', 'Mixed_5d']],
  ['Mixed_6', ['Mixed_6a', 'Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e']],
  ['Mixed_7', ['Mixed_7a', 'Mixed_7b', 'Mixed_7c']],
];

export class InceptionV3 extends ImageModel {
  override readonly headPrefix = 'fc.';
  override readonly firstConvolution = 'Conv2d_1a_3x3.conv.weight';
  override readonly taps: readonly Tap[];
  override readonly groups: readonly ModuleGroup[];
  override readonly segments: readonly Segment[];

  constructor(identity: ModelIdentity, pools: InceptionPools = 'torchvision') {
    super(identity);
    const { id, inputSize, inputChannels, classes } = identity;
    if (inputSize < smallestImage) {
      throw new RequestError({
        where: `image size of ${id}`,
        expected: `at least ${smallestImage}`,
        got: String(inputSize),
        hint: 'the paper uses 224, the published weights were trained at 299',
      });
    }
    const stem = stemBlocks.map(([name, inputs = inputChannels, outputs, kernel, options]) => ({
      name,
      block: this.child(name, new ConvolutionBlock(inputs, outputs, kernel, options)),
    }));
    let channels = 192;
    const mixed = mixedBlocks.map(([name, architecture]) => {
      const isLast = name === mixedBlocks.at(-1)?.[0];
      const pool = pools === 'torchvision' ? 'mean' : isLast ? 'maximum' : 'meanWithoutPadding';
      const block = this.child(name, new Mixed(channels, architecture, pool));
      channels = block.outputs;
      return { name, block };
    });
    // Upstream's probability; the features are what comes before it.
    const dropout = this.child('dropout', new Dropout(0.5));
    const fc = this.child('fc', new Linear(channels, classes));
    const maxPool = new MaxPool2d(3, { stride: 2 });

    this.segments = [
      ...stem.flatMap(({ name, block }, index): Segment[] => {
        const run: Segment['run'] = (state) =>
          // Channels-last is the layout in which LibTorch's convolutions are fastest.
          sameStateAndTap(block.forward(index === 0 ? state.contiguous('channelsLast') : state));
        const pool = stemPools.get(name);
        return pool === undefined
          ? [{ name, run }]
          : [
              { name, run },
              { name: pool, run: (state) => ({ state: maxPool.forward(state) }) },
            ];
      }),
      ...mixed.map(({ name, block }) => ({
        name,
        run: (state: Tensor) => sameStateAndTap(block.forward(state)),
      })),
      { name: 'avgpool', run: (state) => ({ state: globalAveragePool(state) }) },
      { name: 'fc', run: (state) => ({ state: fc.forward(dropout.forward(state)) }) },
    ];
    this.taps = [...stem, ...mixed].map(({ name }) => ({
      name,
      prefixes: [`${name}.`],
      kind: 'spatial',
      hasClassToken: false,
    }));
    this.groups = moduleGroups.map(([name, members]) => ({
      name,
      prefixes: members.map((member) => `${member}.`),
    }));
  }

  override readCheckpointName(
    fileName: string,
    all: ReadonlySet<string>,
  ): { name: string } | { ignored: string } {
    const name = readInceptionName(fileName, all);
    return name.startsWith('AuxLogits.')
      ? { ignored: 'the auxiliary head is left out of this network' }
      : { name };
  }

  protected override fitsSize(height: number, width: number): boolean {
    return height >= smallestImage && width >= smallestImage;
  }
}

function sameStateAndTap(value: Tensor): { state: Tensor; tap: Tensor } {
  return { state: value, tap: value };
}
