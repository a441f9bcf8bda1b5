/**
 * Synthetic studies for tests of figures and reports: the paper's whole shape, and a small one. Runs and
 * findings are drawn by seed around the paper's levels and trends; tables, comparisons and curves are
 * computed from the runs by the study's own functions. The same call gives the same summary.
 */
import {
  type AnalysisRow,
  type DataSummary,
  type LearningCurve,
  paperCells,
  paperDataSets,
  type ResultRow,
  type StudySummary,
} from '../../src/results/index.ts';
// From their own files: the whole of src/study takes LibTorch with it.
import { aggregate } from '../../src/study/aggregate.ts';
import { compareInits, studyCurves } from '../../src/study/comparisons.ts';
import { mean, RandomStream } from '../../src/util/index.ts';
import { type FindingSetting, pairFindings, settingFindings } from './fixtureFindings.ts';
import { type FixtureModel, fixtureModel, fixtureModels, mainModels } from './fixtureModels.ts';

/** Metric of guessing. */
const chances: Record<string, number> = { kappa: 0, recall: 1 / 8, auc: 0.5 };

/** The paper's model that a model's levels follow. */
const levelsOf: Record<FixtureModel['family'], string> = {
  vit: 'deit_small',
  hybrid: 'swin_tiny',
  cnn: 'resnet50',
};

interface Shape {
  name: string;
  data: DataSummary[];
  models: FixtureModel[];
  hasSweep: boolean;
  seeds: number[];
  /** Whether CKA was taken of an initialisation. */
  hasCka: (model: FixtureModel, fraction: number | undefined) => boolean;
  /** One run that failed, and one whose test metric is undefined. */
  hasGaps: boolean;
}

/**
 * The paper's study: five data sets, four models and those of capacity and depth, RI, ST, WT and every
 * WT-ST-n/m, five seeds; a run that failed, metrics and findings that are undefined.
 * @param allCka CKA of every initialisation of every model: over a million findings. Otherwise of RI, ST,
 *   WT and the middle of the main models.
 */
export function paperSummary({ allCka = false } = {}): StudySummary {
  return summaryOf({
    name: 'paper',
    data: paperDataSets.map(({ id, metric, samples, frechetInceptionDistance }) => ({
      name: id,
      metric,
      samples,
      counts: splitCounts(samples, id === 'aptos2019' ? 0.15 : 0.1),
      task: { kappa: 'ordinal', recall: 'multi-class', auc: 'binary' }[metric],
      classes: classNames(id),
      frechet: {
        distance: frechetInceptionDistance,
        extractor: 'fid-inception',
        source: 'imagenet',
      },
    })),
    models: fixtureModels.filter(({ id }) => !id.endsWith('_micro')),
    hasSweep: true,
    seeds: [0, 1, 2, 3, 4],
    hasCka: (model, fraction) =>
      allCka ||
      (mainModels.includes(model.id) &&
        [undefined, 0, Math.ceil(model.modules / 2) / model.modules, 1].includes(fraction)),
    hasGaps: true,
  });
}

/** A small study: one data set, two small models, RI, ST and WT, two seeds; nothing is missing. */
export function smallSummary(): StudySummary {
  return summaryOf({
    name: 'small',
    data: [
      {
        name: 'dermoscopy',
        metric: 'recall',
        samples: 480,
        counts: splitCounts(480, 0.2),
        task: 'multi-class',
        classes: classNames('isic2019'),
      },
    ],
    models: ['resnet18_micro', 'deit_micro'].map(fixtureModel),
    hasSweep: false,
    seeds: [0, 1],
    hasCka: () => true,
    hasGaps: false,
  });
}

function splitCounts(samples: number, share: number): DataSummary['counts'] {
  const part = Math.round(samples * share);
  return { train: samples - 2 * part, val: part, test: part };
}

function classNames(data: string): string[] {
  if (data === 'aptos2019') return ['0', '1', '2', '3', '4'];
  if (data === 'isic2019') return ['MEL', 'NV', 'BCC', 'AK', 'BKL', 'DF', 'VASC', 'SCC'];
  return ['negative', 'positive'];
}

function initsOf({ modules }: FixtureModel, hasSweep: boolean): string[] {
  const partial = Array.from(
    { length: modules - 1 },
    (_, at) => `WT-ST-${at + 1}/${modules - at - 1}`,
  );
  return ['ri', 'st', ...(hasSweep ? partial : []), 'wt'];
}

/** Share of modules that keep their weights; absent for RI. */
function fractionOf(init: string, modules: number): number | undefined {
  if (init === 'ri') return undefined;
  if (init === 'st') return 0;
  if (init === 'wt') return 1;
  return Number(/^WT-ST-(\d+)/.exec(init)?.[1]) / modules;
}

/** Test metric without noise. */
function levelOf(data: DataSummary, model: FixtureModel, fraction: number | undefined): number {
  const followed = mainModels.includes(model.id) ? model.id : levelsOf[model.family];
  const known = paperDataSets.some(({ id }) => id === data.name) ? data.name : 'isic2019';
  const cell = (init: string): number =>
    paperCells.find((one) => one.data === known && one.model === followed && one.init === init)
      ?.mean ?? 0.5;
  if (fraction === undefined) return cell('ri') + model.edge;
  // Early layers carry a ViT; every layer of a CNN adds a little.
  const steepness = { vit: 6, hybrid: 3, cnn: 0.4 }[model.family];
  const share = (1 - Math.exp(-steepness * fraction)) / (1 - Math.exp(-steepness));
  return cell('st') + (cell('wt') - cell('st')) * share + model.edge;
}

function reuseOf(data: DataSummary, model: FixtureModel): number {
  const [st, wt] = [levelOf(data, model, 0), levelOf(data, model, 1)];
  return Math.min(1, Math.max(0, (4 * (wt - st)) / wt));
}

function summaryOf({ name, data, models, hasSweep, seeds, hasCka, hasGaps }: Shape): StudySummary {
  const settings = data.flatMap((set) =>
    models.flatMap((model) => initsOf(model, hasSweep).map((init) => ({ set, model, init }))),
  );
  const planned = settings.flatMap(({ set, model, init }) =>
    seeds.map((seed) => rowOf(set, model, init, seed)),
  );
  const failed = hasGaps ? planned.filter(isFailed) : [];
  const rows = hasGaps
    ? planned.filter((row) => !isFailed(row)).map((row) => (isUndefined(row) ? emptied(row) : row))
    : planned;
  const initsByModel = Object.fromEntries(models.map((one) => [one.id, initsOf(one, hasSweep)]));
  const axes = {
    data: data.map((set) => set.name),
    models: models.map(({ id }) => id),
    inits: [...new Set(Object.values(initsByModel).flat())],
    initsOf: initsByModel,
    seeds,
  };
  const finding = ({ set, model, init }: (typeof settings)[number]): FindingSetting => {
    const fraction = fractionOf(init, model.modules);
    const own = rows.filter(
      (row) => row.data === set.name && row.model === model.id && row.init === init,
    );
    return {
      data: set.name,
      model,
      init,
      fraction,
      metric: mean(own.flatMap(({ testMetric }) => testMetric ?? [])),
      chance: chances[set.metric ?? ''] ?? 0,
      reuse: reuseOf(set, model),
      seeds: seeds.length,
      cka: hasCka(model, fraction),
    };
  };
  const findings: AnalysisRow[] = settings.map(finding).flatMap(settingFindings);
  const pairs = settings.map(finding).filter(({ init, cka }) => init === 'wt' && cka);
  return {
    name,
    description: 'Synthetic: numbers drawn around the paper’s levels and trends.',
    folder: `/studies/${name}`,
    planned: planned.length,
    axes,
    data,
    models: models.map(({ id, parameters }) => ({ id, parameters })),
    source: { name: 'imagenet', samples: 1_281_167 },
    findings: findings.concat(pairs.flatMap(pairFindings)),
    rows,
    table: aggregate(rows, axes),
    comparisons: compareInits(rows, axes),
    curves: studyCurves(rows),
    learningCurves: rows.flatMap((row) => learningCurvesOf(row)),
    cost: costOf(rows, models),
    environment: {
      precisions: ['bf16'],
      devices: ['NVIDIA A100'],
      threads: [8],
      versions: { node: ['20.20.0'], libtorch: ['2.13.0'], method: ['1'], carryover: ['0.1.0'] },
    },
    unfinished: failed.map(({ runId, model, init, seed, data: set }) => ({
      runId,
      title: `${model}, ${init.toUpperCase()}, seed ${seed}, ${set}`,
      status: 'failed',
      reason: 'the loss is not finite at iteration 812',
    })),
    warnings: hasGaps
      ? [{ text: 'k-NN: 200 neighbours were asked for, the bank has 120', runs: 2 }]
      : [],
    settings: { name, models: axes.models, repeats: seeds.length },
    newest: '2026-01-31T12:00:00.000Z',
  };
}

function rowOf(set: DataSummary, model: FixtureModel, init: string, seed: number): ResultRow {
  const stream = new RandomStream('run', set.name, model.id, init, seed);
  const fraction = fractionOf(init, model.modules);
  const noise = 0.012 / Math.sqrt(Math.max(1, (set.samples ?? 0) / 8000));
  const testMetric = levelOf(set, model, fraction) + noise * stream.normal();
  const epoch = Math.ceil((set.counts?.train ?? 0) / 64);
  const slow = 1 - 0.6 * (model.family === 'cnn' ? (fraction ?? 0) : Math.sqrt(fraction ?? 0));
  const halfEpochs = Math.max(2, Math.round(24 * slow * (0.9 + 0.2 * stream.next())));
  const iterations = Math.round(((halfEpochs + 8) * epoch) / 2);
  return {
    runId: [0, 0].map(() => stream.nextUint32().toString(16).padStart(8, '0')).join(''),
    data: set.name,
    samples: set.samples ?? 0,
    model: model.id,
    parameters: model.parameters,
    init,
    seed,
    metric: set.metric ?? 'recall',
    testMetric,
    validationMetric: testMetric + noise * stream.normal(),
    iterationsToBest: Math.round((halfEpochs * epoch) / 2),
    ...(fraction === undefined ? {} : { iterationsToReference: Math.round(epoch * slow * 4) }),
    iterations,
    imagesPerSecond: model.imagesPerSecond * (0.98 + 0.04 * stream.next()),
    wallSeconds: (iterations * 64) / model.imagesPerSecond,
    precision: 'bf16',
    device: 'NVIDIA A100',
    threads: 8,
    learningRate: fraction === undefined ? 3e-4 : 1e-4,
  };
}

/** Every run's curve to its plateau; under a constant rate too for RI, ST and WT of two models. */
function learningCurvesOf(row: ResultRow): LearningCurve[] {
  const { data, model, init, seed, metric, validationMetric, iterations, learningRate = 0 } = row;
  const best = row.iterationsToBest ?? iterations;
  const isConstantToo =
    ['ri', 'st', 'wt'].includes(init) &&
    ['deit_small', 'resnet50', 'resnet18_micro', 'deit_micro'].includes(model);
  return (['plateau', ...(isConstantToo ? (['constant'] as const) : [])] as const).map(
    (schedule) => {
      const stream = new RandomStream('curve', row.runId, schedule);
      const level = validationMetric ?? 0.6;
      const start = level * 0.6;
      const points = Array.from({ length: 14 }, (_, at) => {
        const iteration = Math.round((iterations * (at + 1)) / 14);
        const progress = 1 - Math.exp((-3.5 * iteration) / best);
        const value = start + (level - start) * progress - 0.006 * stream.next();
        return {
          iteration,
          // A first evaluation that predicted a single class has no value.
          ...(at === 0 && model === 'deit_small' && init === 'ri' ? {} : { value }),
          loss: 0.2 + 1.2 * (1 - progress),
          learningRate: schedule === 'plateau' && at > 9 ? learningRate / 10 : learningRate,
        };
      });
      return { data, model, init, seed, metric, schedule, points };
    },
  );
}

export function costOf(
  rows: readonly ResultRow[],
  models: readonly Pick<FixtureModel, 'id'>[],
): StudySummary['cost'] {
  const costOfRuns = (own: readonly ResultRow[]) => {
    const seconds = own.reduce((sum, { wallSeconds }) => sum + (wallSeconds ?? 0), 0);
    return {
      runs: own.length,
      runSeconds: seconds,
      trainingSeconds: 0.82 * seconds,
      evaluationSeconds: 0.12 * seconds,
      savingSeconds: 0.01 * seconds,
      deviceUtilisation: 0.9,
      peakMemoryBytes: 11 * 2 ** 30,
    };
  };
  return {
    ...costOfRuns(rows),
    diskBytes: rows.length * 190 * 2 ** 20,
    byModel: models.map(({ id }) => {
      const own = rows.filter(({ model }) => model === id);
      return {
        model: id,
        ...costOfRuns(own),
        imagesPerSecond: mean(own.map(({ imagesPerSecond }) => imagesPerSecond ?? 0)),
      };
    }),
  };
}

function isFailed({ data, model, init, seed }: ResultRow): boolean {
  return data === 'camelyon' && model === 'swin_tiny' && init === 'ri' && seed === 4;
}

function isUndefined({ data, model, init, seed }: ResultRow): boolean {
  return data === 'chexpert' && model === 'inception_v3' && init === 'st' && seed === 2;
}

function emptied({ testMetric: _, ...row }: ResultRow): ResultRow {
  return { ...row, undefinedReason: 'only one class in the test split' };
}
