/** The networks of the synthetic studies, written out so that they need no LibTorch. */

export interface FixtureModel {
  id: string;
  /** `hybrid`: windows of attention, between the two. */
  family: 'cnn' | 'vit' | 'hybrid';
  /** Modules of WT-ST-n/m. */
  modules: number;
  /** With a head of 5 classes. */
  parameters: number;
  /** In the network's order. */
  taps: string[];
  hasClassToken: boolean;
  /** Of each attention module that looks at the whole image. */
  heads: number;
  imagesPerSecond: number;
  /** Added to the level of its family. */
  edge: number;
}

function resnetTaps(blocks: readonly number[]): string[] {
  return [
    'conv1',
    ...blocks.flatMap((count, stage) =>
      Array.from({ length: count }, (_, block) => `layer${stage + 1}.${block}`),
    ),
  ];
}

function blockTaps(prefixes: readonly string[]): string[] {
  return ['patch_embed', ...prefixes.flatMap((prefix) => [`${prefix}.attn`, `${prefix}.mlp`])];
}

function deitTaps(depth: number): string[] {
  return blockTaps(Array.from({ length: depth }, (_, block) => `blocks.${block}`));
}

function swinTaps(depths: readonly number[]): string[] {
  return blockTaps(
    depths.flatMap((depth, stage) =>
      Array.from({ length: depth }, (_, block) => `layers.${stage}.blocks.${block}`),
    ),
  );
}

const inceptionTaps = [
  'Conv2d_1a_3x3',
  'Conv2d_2a_3x3',
  'Conv2d_2b_3x3',
  'Conv2d_3b_1x1',
  'Conv2d_4a_3x3',
  'Mixed_5b',
  'Mixed_5c',
  'Mixed_5d',
  'Mixed_6a',
  'Mixed_6b',
  'Mixed_6c',
  'Mixed_6d',
  'Mixed_6e',
  'Mixed_7a',
  'Mixed_7b',
  'Mixed_7c',
];

const cnn = { family: 'cnn', hasClassToken: false, heads: 0, modules: 6 } as const;
const vit = { family: 'vit', hasClassToken: true, modules: 14 } as const;

/** The paper's four in its order, then those of its study of capacity and depth, then two for tests. */
export const fixtureModels: readonly FixtureModel[] = [
  {
    ...vit,
    id: 'deit_small',
    parameters: 21_667_589,
    taps: deitTaps(12),
    heads: 6,
    imagesPerSecond: 410,
    edge: 0,
  },
  {
    ...vit,
    id: 'swin_tiny',
    family: 'hybrid',
    hasClassToken: false,
    parameters: 27_523_199,
    taps: swinTaps([2, 2, 6, 2]),
    heads: 0,
    imagesPerSecond: 300,
    edge: 0,
  },
  {
    ...cnn,
    id: 'inception_v3',
    modules: 7,
    parameters: 21_795_813,
    taps: inceptionTaps,
    imagesPerSecond: 520,
    edge: 0,
  },
  {
    ...cnn,
    id: 'resnet50',
    parameters: 23_518_277,
    taps: resnetTaps([3, 4, 6, 3]),
    imagesPerSecond: 460,
    edge: 0,
  },
  {
    ...cnn,
    id: 'resnet18',
    parameters: 11_179_077,
    taps: resnetTaps([2, 2, 2, 2]),
    imagesPerSecond: 1150,
    edge: -0.012,
  },
  {
    ...cnn,
    id: 'resnet152',
    parameters: 58_154_053,
    taps: resnetTaps([3, 8, 36, 3]),
    imagesPerSecond: 190,
    edge: 0.006,
  },
  {
    ...vit,
    id: 'deit_tiny',
    parameters: 5_525_381,
    taps: deitTaps(12),
    heads: 3,
    imagesPerSecond: 900,
    edge: -0.02,
  },
  {
    ...vit,
    id: 'deit_base',
    parameters: 85_802_501,
    taps: deitTaps(12),
    heads: 12,
    imagesPerSecond: 150,
    edge: 0.008,
  },
  {
    ...vit,
    id: 'deit_small:5',
    modules: 7,
    parameters: 9_244_421,
    taps: deitTaps(5),
    heads: 6,
    imagesPerSecond: 930,
    edge: -0.004,
  },
  {
    ...cnn,
    id: 'resnet18_micro',
    parameters: 704_120,
    taps: resnetTaps([2, 2, 2, 2]),
    imagesPerSecond: 2100,
    edge: -0.03,
  },
  {
    ...vit,
    id: 'deit_micro',
    modules: 8,
    parameters: 696_968,
    taps: deitTaps(6),
    heads: 3,
    imagesPerSecond: 1700,
    edge: -0.03,
  },
];

/** The paper's main models, of which every measure is taken. */
export const mainModels = ['deit_small', 'swin_tiny', 'inception_v3', 'resnet50'];

export function fixtureModel(id: string): FixtureModel {
  const found = fixtureModels.find((model) => model.id === id);
  if (!found) throw new Error(`no fixture model ${id}`);
  return found;
}
