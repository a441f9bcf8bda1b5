/**
 * The configuration of one training run, every default written out (METHODS: training, pixels).
 * Strict: an unknown key is an error.
 */
import { z } from 'zod';
import { initSchema } from './initialisation.ts';

const positive = z.number().positive();
const count = z.int().positive();

/** Everything about how a network is trained. `auto` is settled when the run starts and recorded. */
export const trainingSchema = z.strictObject({
  /** Images in a step; a last partial batch is dropped. */
  batchSize: count.default(64),
  /** `auto`: Adam for CNNs, AdamW for vision transformers. */
  optimizer: z.enum(['auto', 'adam', 'adamw']).default('auto'),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: positive.default(1e-8),
  /** None on biases and one-dimensional tensors. */
  weightDecay: z.number().min(0).default(1e-5),
  /** `auto`: 1e-4 from pretrained weights or their statistics, 3e-4 from random weights. */
  learningRate: z.union([z.literal('auto'), positive]).default('auto'),
  /** Iterations over which the learning rate rises linearly from 0. */
  warmupIterations: z.int().min(0).default(1000),
  /** `plateau`: reduced when the validation metric stalls; `constant`: not reduced. */
  schedule: z.enum(['plateau', 'constant']).default('plateau'),
  reduceFactor: z.number().gt(0).lt(1).default(0.1),
  /** Evaluations without improvement that are borne; one more reduces the learning rate. */
  patience: z.int().min(0).default(3),
  /** Training ends when the metric stalls at this learning rate. */
  minLearningRate: positive.default(1e-6),
  evaluationsPerEpoch: count.default(2),
  /** The training ends here at the latest. */
  maxEpochs: count.default(200),
  /** As `maxEpochs`, in iterations; none by default. */
  maxIterations: count.nullable().default(null),
  /** Largest norm of all gradients together; null for none. */
  clipNorm: positive.nullable().default(1),
  /** Pixels of a side that the network sees; `auto`: the model's own. */
  size: z.union([z.literal('auto'), count]).default('auto'),
  /** Pixels of a side that images are resized to before the crop; `auto`: 8/7 of `size` (256 for 224). */
  resize: z.union([z.literal('auto'), count]).default('auto'),
  /** Channels that the network sees: 3, grey images repeated; or 1, the luminance of colour ones. */
  inputChannels: z.literal([1, 3]).default(3),
  /** Channel means and deviations: of the training split, or ImageNet's. */
  normalize: z.enum(['data', 'imagenet']).default('data'),
  /** The training split's random changes: on with their defaults, off, or each one's settings. */
  augment: z.union([z.boolean(), z.record(z.string(), z.unknown())]).default(true),
  /** `skip` leaves bad images out and counts them; `error` lists them all and stops. */
  onBadImage: z.enum(['error', 'skip']).default('error'),
  device: z
    .string()
    .regex(/^(auto|cpu|cuda(:\d+)?)$/, 'auto, cpu, cuda or cuda:<number>')
    .default('auto'),
  /** `auto`: bf16 where the processor or GPU computes in it, else fp32. */
  precision: z.enum(['auto', 'fp32', 'bf16']).default('auto'),
  /** Threads of LibTorch; `auto`: the cores that the process may use. */
  threads: z.union([z.literal('auto'), count]).default('auto'),
  /** Processes or threads that decode images ahead of training; never changes a result. */
  workers: z.union([z.literal('auto'), z.int().min(0)]).default('auto'),
  /** Resized images are kept in the cache folder between epochs and runs; never changes a result. */
  cache: z.boolean().default(true),
  /** A line of log.jsonl every so many iterations. */
  logEvery: count.default(10),
  /** At least this long between two states to resume from, in seconds. 0: after every step. */
  checkpointSeconds: z.number().min(0).default(60),
});

export type TrainingSettings = z.output<typeof trainingSchema>;

export const initOptionsSchema = z.strictObject({
  /** Normalisation layers under `st`, and in the modules of `wt-st-n` that are not kept: put back to 1 and 0, or sampled like any weight. */
  norm: z.enum(['reset', 'sample']).default('reset'),
  /** Class token and position embeddings, likewise: sampled, or kept as pretrained. */
  tokens: z.enum(['sample', 'keep']).default('sample'),
  /** Kaiming initialisation for every layer under `ri`. */
  kaiming: z.boolean().default(false),
  /** How a pretrained first convolution of three channels serves one (`training.inputChannels: 1`). */
  firstConv: z.enum(['sum', 'slice']).default('sum'),
});

/**
 * One run. `data` is checked further by the data set that its `kind` names; results and figures need
 * no more of it than this.
 */
export const runConfigSchema = z.strictObject({
  data: z.looseObject({ kind: z.string() }),
  /** A CSV file that says which sample is in which split; drawn with `splitSeed` where absent. */
  splitsFile: z.string().optional(),
  splitSeed: z.int().min(0).default(0),
  model: z.string(),
  init: initSchema,
  initOptions: initOptionsSchema.prefault({}),
  /** The checkpoint that all but `ri` read. */
  weights: z.string().optional(),
  seed: z.int().min(0).default(0),
  training: trainingSchema.prefault({}),
});

export type RunConfig = z.output<typeof runConfigSchema>;
export type RunConfigInput = z.input<typeof runConfigSchema>;

/** The settings that change how fast, where or how safely a run goes, but not what it measures. */
const incidentalSettings = new Set<string>([
  'device',
  'threads',
  'workers',
  'cache',
  'onBadImage',
  'logEvery',
  'checkpointSeconds',
] satisfies (keyof TrainingSettings)[]);

/**
 * The training settings that determine a run's result. A setting that came later is left out at the value
 * that there was before it, so that runs keep their ids.
 */
export function methodSettings(training: TrainingSettings): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(training).filter(
      ([name, value]) =>
        !incidentalSettings.has(name) && !(name === 'inputChannels' && value === 3),
    ),
  );
}
