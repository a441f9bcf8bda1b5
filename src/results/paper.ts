/**
 * Table 1 of the paper, as data: "What Makes Transfer Learning Work For Medical Images: Feature Reuse
 * & Other Factors", Matsoukas et al., CVPR 2022. Mean ± standard deviation of five runs. A report can
 * set a study's numbers beside these.
 */

export interface PaperDataSet {
  id: string;
  title: string;
  metric: 'kappa' | 'auc' | 'recall';
  /** Images, as the table's header counts them (the paper's text says 25,331 for ISIC 2019). */
  samples: number;
  /** Fréchet Inception Distance to ImageNet. */
  frechetInceptionDistance: number;
}

export interface PaperModel {
  id: string;
  title: string;
  /** Parameters in millions, as the table prints them. */
  millions: number;
}

export interface PaperCell {
  data: string;
  model: string;
  init: 'ri' | 'st' | 'wt';
  mean: number;
  deviation: number;
}

export const paperDataSets: readonly PaperDataSet[] = [
  {
    id: 'aptos2019',
    title: 'APTOS2019',
    metric: 'kappa',
    samples: 3662,
    frechetInceptionDistance: 160,
  },
  {
    id: 'ddsm',
    title: 'DDSM',
    metric: 'auc',
    samples: 10239,
    frechetInceptionDistance: 155,
  },
  {
    id: 'isic2019',
    title: 'ISIC2019',
    metric: 'recall',
    samples: 25333,
    frechetInceptionDistance: 141,
  },
  {
    id: 'chexpert',
    title: 'CheXpert',
    metric: 'auc',
    samples: 224316,
    frechetInceptionDistance: 181,
  },
  {
    id: 'camelyon',
    title: 'Camelyon',
    metric: 'auc',
    samples: 327680,
    frechetInceptionDistance: 202,
  },
];

export const paperModels: readonly PaperModel[] = [
  { id: 'deit_small', title: 'DeiT-S', millions: 22 },
  { id: 'swin_tiny', title: 'SWIN-T', millions: 29 },
  { id: 'inception_v3', title: 'InceptionV3', millions: 24 },
  { id: 'resnet50', title: 'ResNet50', millions: 25 },
];

type Row = readonly (readonly [mean: number, deviation: number])[];

/** One row a model and initialisation, one pair a data set, in the order of `paperDataSets`. */
const rows: Record<string, Record<PaperCell['init'], Row>> = {
  deit_small: {
    ri: [
      [0.684, 0.017],
      [0.907, 0.005],
      [0.576, 0.013],
      [0.74, 0.006],
      [0.921, 0.002],
    ],
    st: [
      [0.721, 0.016],
      [0.895, 0.005],
      [0.607, 0.017],
      [0.734, 0.002],
      [0.916, 0.005],
    ],
    wt: [
      [0.894, 0.017],
      [0.949, 0.011],
      [0.824, 0.008],
      [0.792, 0.001],
      [0.962, 0.003],
    ],
  },
  swin_tiny: {
    ri: [
      [0.689, 0.022],
      [0.898, 0.005],
      [0.597, 0.08],
      [0.78, 0.001],
      [0.936, 0.002],
    ],
    st: [
      [0.722, 0.017],
      [0.9, 0.004],
      [0.654, 0.008],
      [0.785, 0],
      [0.948, 0.013],
    ],
    wt: [
      [0.906, 0.005],
      [0.961, 0.007],
      [0.833, 0.008],
      [0.805, 0],
      [0.968, 0.006],
    ],
  },
  inception_v3: {
    ri: [
      [0.835, 0.012],
      [0.923, 0.003],
      [0.668, 0.008],
      [0.794, 0.001],
      [0.956, 0.006],
    ],
    st: [
      [0.796, 0.014],
      [0.907, 0.014],
      [0.629, 0.013],
      [0.787, 0.001],
      [0.956, 0.003],
    ],
    wt: [
      [0.873, 0.007],
      [0.939, 0.01],
      [0.758, 0.011],
      [0.797, 0],
      [0.958, 0.004],
    ],
  },
  resnet50: {
    ri: [
      [0.845, 0.022],
      [0.919, 0.005],
      [0.664, 0.016],
      [0.796, 0],
      [0.948, 0.008],
    ],
    st: [
      [0.848, 0.006],
      [0.933, 0.006],
      [0.635, 0.012],
      [0.794, 0.001],
      [0.959, 0.003],
    ],
    wt: [
      [0.888, 0.004],
      [0.957, 0.003],
      [0.795, 0.011],
      [0.8, 0.001],
      [0.96, 0.006],
    ],
  },
};

/** All 60 cells of the table. */
export const paperCells: readonly PaperCell[] = Object.entries(rows).flatMap(([model, inits]) =>
  (['ri', 'st', 'wt'] as const).flatMap((init) =>
    inits[init].map(([mean, deviation], column) => ({
      data: paperDataSets[column]?.id ?? '',
      model,
      init,
      mean,
      deviation,
    })),
  ),
);
