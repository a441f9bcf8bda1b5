/** What a training run writes: run.json and log.jsonl, their schemas, and the run's identity. */
import { z } from 'zod';
import { hashText } from '../util/index.ts';
import { methodSettings, type RunConfig, runConfigSchema } from './training.ts';

/**
 * Counts changes of the method that make results of before and after incomparable; part of every
 * run's identity.
 */
export const METHOD_VERSION = 2;

/** A metric's value, or no value and the reason. `over` of `of`: how many classes a mean is over. */
export const metricValueSchema = z.strictObject({
  value: z.number().optional(),
  reason: z.string().optional(),
  over: z.int().optional(),
  of: z.int().optional(),
});

export const evaluationSchema = z.strictObject({
  metric: z.enum(['kappa', 'recall', 'auc']),
  primary: metricValueSchema,
  loss: z.number(),
  samples: z.int(),
  metrics: z.record(z.string(), metricValueSchema),
  perClass: z.record(z.string(), metricValueSchema),
  confusion: z.array(z.array(z.int())).optional(),
});

/** The process that a run belongs to while it is `running`. */
export const ownerSchema = z.strictObject({
  pid: z.int(),
  host: z.string(),
  /** When that process started, as its system counts it; tells a reused process number apart. */
  processStart: z.string().optional(),
  /** The Slurm job that it runs in: `12`, or `12_3` of an array. */
  job: z.string().optional(),
});

export type Owner = z.output<typeof ownerSchema>;

const countsSchema = z.strictObject({ train: z.int(), val: z.int(), test: z.int() });

/** What `auto` and the machine came to. */
export const resolvedSchema = z.strictObject({
  device: z.string(),
  deviceName: z.string().optional(),
  precision: z.enum(['fp32', 'bf16']),
  threads: z.int(),
  optimizer: z.enum(['adam', 'adamw']),
  learningRate: z.number(),
  batchSize: z.int(),
  size: z.int(),
  resize: z.int(),
  iterationsPerEpoch: z.int(),
  maxIterations: z.int(),
});

export type Resolved = z.output<typeof resolvedSchema>;

export const runResultSchema = z.strictObject({
  /** Why training ended. */
  ended: z.enum(['plateau', 'maxEpochs', 'maxIterations']),
  iterations: z.int(),
  epochs: z.number(),
  iterationsToBest: z.int(),
  /** On the validation split, of the best checkpoint. */
  validation: evaluationSchema,
  /** On the test split, of the best checkpoint. */
  test: evaluationSchema,
  /** Images a second of the training steps, waiting for images counted, evaluating and saving not. */
  imagesPerSecond: z.number(),
  trainingSeconds: z.number(),
  /** From start to finish, all sessions of a resumed run together, work that was lost not counted. */
  wallSeconds: z.number(),
  /** Largest resident memory of the process; of the last session where a run was resumed. */
  peakMemoryBytes: z.int(),
  /** Of all evaluations, the test split's among them; absent in records from before it was counted. */
  evaluationSeconds: z.number().optional(),
  /** Of saving states and networks. */
  savingSeconds: z.number().optional(),
  /**
   * On a CPU: processor time of all threads over wall time × threads (above 1 where threads that decode
   * images add to those that compute). On a GPU: share of the time in which it computed, of the last
   * session; absent where nvidia-smi does not tell.
   */
  deviceUtilisation: z.number().optional(),
});

export type RunResult = z.output<typeof runResultSchema>;

export const runRecordSchema = z.strictObject({
  format: z.literal(1),
  /** See {@link runIdentity}. */
  runId: z.string(),
  status: z.enum(['running', 'stopped', 'failed', 'finished']),
  owner: ownerSchema.optional(),
  /** ISO time at which the process last said that it is alive. */
  heartbeat: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  /** How often the run was begun: 1 for an uninterrupted one. */
  sessions: z.int(),
  /** As of the heartbeat. */
  progress: z.strictObject({
    iteration: z.int(),
    maxIterations: z.int(),
    best: z.strictObject({ iteration: z.int(), value: z.number().optional() }).optional(),
    /** Of the training steps so far, as `result.imagesPerSecond`. */
    imagesPerSecond: z.number().optional(),
  }),
  error: z.strictObject({ message: z.string(), exitCode: z.int() }).optional(),
  config: runConfigSchema,
  resolved: resolvedSchema.optional(),
  versions: z.record(z.string(), z.union([z.string(), z.number()])),
  data: z
    .strictObject({
      name: z.string(),
      identity: z.string(),
      task: z.enum(['multiclass', 'binary', 'multilabel', 'ordinal']),
      metric: z.enum(['kappa', 'recall', 'auc']),
      classes: z.array(z.string()),
      counts: countsSchema,
      /** SHA-256 of the run's splits. */
      splits: z.string(),
      mean: z.array(z.number()),
      std: z.array(z.number()),
      /** Bad images that were left out (`onBadImage: skip`). */
      skipped: z.array(z.strictObject({ file: z.string(), reason: z.string() })),
    })
    .optional(),
  weights: z.strictObject({ path: z.string(), sha256: z.string() }).optional(),
  /** What the initialisation did, by name. */
  initialisation: z.record(z.string(), z.unknown()).optional(),
  parameters: z.int().optional(),
  warnings: z.array(z.string()),
  result: runResultSchema.optional(),
});

export type RunRecord = z.output<typeof runRecordSchema>;

/** The mean training loss since the line before. */
export const trainLineSchema = z.strictObject({
  kind: z.literal('train'),
  iteration: z.int(),
  epoch: z.number(),
  learningRate: z.number(),
  loss: z.number(),
});

/** One evaluation of the validation split. */
export const evaluationLineSchema = z.strictObject({
  kind: z.literal('evaluation'),
  iteration: z.int(),
  epoch: z.number(),
  learningRate: z.number(),
  loss: z.number(),
  metric: z.enum(['kappa', 'recall', 'auc']),
  value: z.number().optional(),
  reason: z.string().optional(),
  metrics: z.record(z.string(), metricValueSchema),
  /** Whether it was the best so far. */
  best: z.boolean(),
  schedule: z.enum(['continue', 'reduced', 'stop']),
});

export const logLineSchema = z.discriminatedUnion('kind', [trainLineSchema, evaluationLineSchema]);

export type TrainLine = z.output<typeof trainLineSchema>;
export type EvaluationLine = z.output<typeof evaluationLineSchema>;
export type LogLine = z.output<typeof logLineSchema>;

export interface IdentityParts {
  config: RunConfig;
  /** The data set's identity: a hash of its samples and labels. */
  data: string;
  /** A hash of which sample is in which split. */
  splits: string;
  /** SHA-256 of the checkpoint, or the identity of the run that makes it; `ri` has none. */
  weights?: string;
}

/**
 * The id of a run: a hash (16 hexadecimal digits) of what determines its result, and of nothing else.
 * Paths, devices, threads and workers are left out.
 */
export function runIdentity({ config, data, splits, weights }: IdentityParts): string {
  const parts = {
    method: METHOD_VERSION,
    data,
    splits,
    model: config.model,
    init: config.init,
    initOptions: initOptionsThatCount(config),
    weights: config.init === 'ri' ? null : (weights ?? null),
    seed: config.seed,
    training: methodSettings(config.training),
  };
  return hashText(canonicalJson(parts)).slice(0, 16);
}

/** The options of the initialisation that determine what the network starts as. */
function initOptionsThatCount({ init, initOptions, training }: RunConfig): Record<string, unknown> {
  if (init === 'ri') return { kaiming: initOptions.kaiming };
  const { firstConv, ...options } = initOptions;
  return training.inputChannels === 1 ? { ...options, firstConv } : options;
}

/** JSON with the keys of every object in order, so that equal values give equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
