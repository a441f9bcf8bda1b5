/** What analyses of runs write: `analysis/<measure>.json` in a run's folder, strict, without NaN. */
import { join } from 'node:path';
import { z } from 'zod';
import { metricValueSchema } from './run.ts';

/** A number, or none; the reason stands beside it. */
const maybe = z.number().nullable();

const metricNameSchema = z.enum(['kappa', 'recall', 'auc']);

/** Which run, and which of its networks. Paths are left out: folders move. */
export const analysedRunSchema = z.strictObject({
  runId: z.string(),
  model: z.string(),
  init: z.string(),
  seed: z.int(),
  data: z.string(),
  /** The networks that the measure looked at; none where it reads the log alone. */
  checkpoints: z.array(z.enum(['initial', 'best'])),
});

export type AnalysedRun = z.output<typeof analysedRunSchema>;

/** What stands at the head of every analysis. */
const headShape = {
  format: z.literal(1),
  run: analysedRunSchema,
  against: analysedRunSchema.optional(),
  /** The options that it was taken with; the defaults where absent. */
  options: z.record(z.string(), z.unknown()).optional(),
  /** Number format of the forward passes. */
  precision: z.enum(['fp32', 'bf16']).optional(),
  versions: z.record(z.string(), z.union([z.string(), z.number()])),
  warnings: z.array(z.string()),
};

export const scoreEvaluationSchema = z.strictObject({
  metric: metricNameSchema,
  primary: metricValueSchema,
  metrics: z.record(z.string(), metricValueSchema),
  /** Recall of each class, or AUC of each label. */
  perClass: z.record(z.string(), metricValueSchema),
  /** [true class][predicted class]. */
  confusion: z.array(z.array(z.int())).optional(),
});

const probeSchema = z.strictObject({
  /** C of scikit-learn's logistic regression. */
  strength: z.number(),
  tried: z.array(
    z.strictObject({
      strength: z.number(),
      validation: metricValueSchema,
      converged: z.boolean(),
    }),
  ),
  validation: scoreEvaluationSchema,
  test: scoreEvaluationSchema,
});

export const knnSchema = z.strictObject({
  ...headShape,
  measure: z.literal('knn'),
  settings: z.strictObject({
    /** Neighbours asked for, and those that voted: no more than the bank has. */
    neighbours: z.int(),
    used: z.int(),
    weights: z.enum(['exponential', 'uniform']),
    temperature: z.number(),
  }),
  /** Images of the training split that vote, and of the test split that are judged. */
  bank: z.int(),
  queries: z.int(),
  taps: z.array(
    z.strictObject({
      tap: z.string(),
      embedding: z.enum(['cls', 'spatial', 'both']),
      features: z.int(),
      /** Absent where the tap says the same of every image; the reason then stands beside it. */
      knn: scoreEvaluationSchema.optional(),
      probe: probeSchema.optional(),
      reason: z.string().optional(),
    }),
  ),
});

export type KnnDocument = z.output<typeof knnSchema>;

const networkSideSchema = z.strictObject({
  run: z.string(),
  checkpoint: z.enum(['initial', 'best']),
});

export const ckaSchema = z.strictObject({
  ...headShape,
  measure: z.literal('cka'),
  settings: z.strictObject({
    batch: z.int(),
    estimator: z.enum(['ratio-of-means', 'mean-of-ratios']),
  }),
  images: z.int(),
  batches: z.int(),
  /** Batches with fewer than four images, which have no unbiased estimate. */
  batchesLeftOut: z.int(),
  taps: z.array(z.string()),
  matrices: z.array(
    z.strictObject({
      /** `cls` and `spatial`: those tokens alone, of networks with a class token. */
      tokens: z.enum(['all', 'cls', 'spatial']),
      left: networkSideSchema,
      right: networkSideSchema,
      /** Taps of the rows and columns, where not all have these tokens. */
      taps: z.array(z.string()),
      values: z.array(z.array(maybe)),
      undefinedTaps: z.array(
        z.strictObject({ side: z.enum(['left', 'right']), tap: z.string(), reason: z.string() }),
      ),
    }),
  ),
});

export type CkaDocument = z.output<typeof ckaSchema>;

export const l2Schema = z.strictObject({
  ...headShape,
  measure: z.literal('l2'),
  from: networkSideSchema,
  to: networkSideSchema,
  taps: z.array(
    z.strictObject({
      tap: z.string(),
      weights: z.int(),
      norm: z.number(),
      distance: z.number(),
      initialNorm: z.number(),
    }),
  ),
});

export type L2Document = z.output<typeof l2Schema>;

export const reinitSchema = z.strictObject({
  ...headShape,
  measure: z.literal('reinit'),
  images: z.int(),
  /** The network as trained. */
  trained: scoreEvaluationSchema,
  taps: z.array(
    z.strictObject({
      tap: z.string(),
      /** Tensors put back, buffers among them. */
      tensors: z.int(),
      evaluation: scoreEvaluationSchema.optional(),
      /** Metric as trained minus metric after the reset; `null` where either is undefined. */
      drop: maybe,
      /** Why there is no evaluation. */
      reason: z.string().optional(),
    }),
  ),
});

export type ReinitDocument = z.output<typeof reinitSchema>;

export const attentionSchema = z.strictObject({
  ...headShape,
  measure: z.literal('attention'),
  images: z.int(),
  unit: z.literal('pixels'),
  grid: z.int(),
  patchSize: z.number(),
  /** The distance of attention to all patches alike. */
  uniform: z.number(),
  layers: z.array(
    z.strictObject({
      tap: z.string(),
      /** Over the heads that have a distance. */
      mean: maybe,
      heads: z.array(maybe),
      /** Patches, by head, that attended to the class token alone. */
      skipped: z.array(z.int()),
    }),
  ),
});

export type AttentionDocument = z.output<typeof attentionSchema>;

const convergenceSideSchema = z.strictObject({
  runId: z.string(),
  init: z.string(),
  schedule: z.enum(['plateau', 'constant']),
  metric: metricNameSchema,
  iterations: z.int(),
  iterationsToBest: z.int(),
  best: maybe,
  curve: z.array(
    z.strictObject({
      iteration: z.int(),
      epoch: z.number(),
      learningRate: z.number(),
      value: maybe,
      loss: z.number(),
    }),
  ),
});

export const convergenceSchema = z.strictObject({
  ...headShape,
  measure: z.literal('convergence'),
  subject: convergenceSideSchema,
  other: convergenceSideSchema.optional(),
  /** Iterations to the best of the other run over those of this one. */
  speedUp: maybe.optional(),
  /** First iteration at which this run reached the other's best; `null`: never. */
  iterationsToOthersBest: z.int().nullable().optional(),
});

export type ConvergenceDocument = z.output<typeof convergenceSchema>;

const calibrationPartSchema = z.strictObject({
  expectedError: metricValueSchema,
  greatestError: metricValueSchema,
  bins: z.array(
    z.strictObject({
      low: z.number(),
      high: z.number(),
      count: z.int(),
      confidence: z.number().optional(),
      frequency: z.number().optional(),
    }),
  ),
});

export const calibrationSchema = z.strictObject({
  ...headShape,
  measure: z.literal('calibration'),
  images: z.int(),
  evaluation: scoreEvaluationSchema,
  overall: calibrationPartSchema,
  perLabel: z.record(z.string(), calibrationPartSchema).optional(),
});

export type CalibrationDocument = z.output<typeof calibrationSchema>;

const fidSideSchema = z.strictObject({
  kind: z.enum(['images', 'statistics']),
  features: z.int(),
  name: z.string().optional(),
  identity: z.string().optional(),
  images: z.int().optional(),
});

/** FID is of two sets of images, not of a run. */
export const fidSchema = z.strictObject({
  format: z.literal(1),
  measure: z.literal('fid'),
  extractor: z.enum(['fid-inception', 'torchvision']),
  /** SHA-256 of the extractor's checkpoint. */
  weights: z.string().optional(),
  source: fidSideSchema,
  target: fidSideSchema.optional(),
  /** d²; absent where only statistics were taken. */
  distance: z.number().optional(),
  meanTerm: z.number().optional(),
  covarianceTerm: z.number().optional(),
  versions: z.record(z.string(), z.string()),
  warnings: z.array(z.string()),
  /** In a study: hash of the images, extractor and weights that it was taken with. */
  key: z.string().optional(),
});

export type FidDocument = z.output<typeof fidSchema>;

export const analysisSchema = z.discriminatedUnion('measure', [
  knnSchema,
  ckaSchema,
  l2Schema,
  reinitSchema,
  attentionSchema,
  convergenceSchema,
  calibrationSchema,
]);

export type AnalysisDocument = z.output<typeof analysisSchema>;
export type MeasureName = AnalysisDocument['measure'];

export const measureNames: readonly MeasureName[] = [
  'knn',
  'cka',
  'l2',
  'reinit',
  'attention',
  'convergence',
  'calibration',
];

/** Whether all patches of a network attend to each other, so that attention has a distance. */
export function hasGlobalAttention(model: string): boolean {
  return model.startsWith('deit');
}

/** Where a run keeps an analysis; those against another run name it, so that both stay. */
export function analysisPaths(
  folder: string,
  measure: string,
  against?: string,
): { json: string; arrays: string; figure: string; svg: string; png: string } {
  const base = join(folder, 'analysis', against === undefined ? measure : `${measure}-${against}`);
  return {
    json: `${base}.json`,
    arrays: `${base}.safetensors`,
    figure: `${base}.vl.json`,
    svg: `${base}.svg`,
    png: `${base}.png`,
  };
}
