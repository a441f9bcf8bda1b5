/**
 * The configuration of one training run, every default written out (METHODS: training, pixels).
 * Strict: an unknown key is an error.
 */
import { z } from 'zod';
import { initSchema } from './initialisation.ts';

const positive = z.number().positive();
const count = z.int().positive();
/** Beyond this a resized image has 200 MB, and a batch of them more than any machine. */
const side = count.max(8192);

/** Everything about how a network is trained. `auto` is settled when the run starts and recorded. */
export const trainingSchema = z.strictObject({
  batchSize: count.default(64).describe('Images in a step; a last partial batch is dropped.'),
  optimizer: z
    .enum(['auto', 'adam', 'adamw'])
    .default('auto')
    .describe('The optimiser; `auto`: Adam for CNNs, AdamW for vision transformers.'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('Decay of the mean of gradients.'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('Decay of the mean of squared gradients.'),
  epsilon: positive.default(1e-8).describe('Added to the denominator of Adam’s update.'),
  weightDecay: z
    .number()
    .min(0)
    .default(1e-5)
    .describe('Weight decay; none on biases and one-dimensional tensors.'),
  learningRate: z
    .union([z.literal('auto'), positive])
    .default('auto')
    .describe(
      'The learning rate after the warm-up; `auto`: 1e-4 from pretrained weights or their statistics, 3e-4 from random weights.',
    ),
  warmupIterations: z
    .int()
    .min(0)
    .default(1000)
    .describe('Iterations over which the learning rate rises linearly from 0.'),
  schedule: z
    .enum(['plateau', 'constant'])
    .default('plateau')
    .describe('`plateau`: reduced when the validation metric stalls; `constant`: not reduced.'),
  reduceFactor: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe('What the learning rate is multiplied by at a plateau.'),
  patience: z
    .int()
    .min(0)
    .default(3)
    .describe(
      'Evaluations without improvement that are borne; one more reduces the learning rate.',
    ),
  minLearningRate: positive
    .default(1e-6)
    .describe('Training ends when the metric stalls at this learning rate.'),
  evaluationsPerEpoch: count
    .default(2)
    .describe('Evaluations of the validation split in an epoch, at even distances.'),
  maxEpochs: count.default(200).describe('The training ends here at the latest.'),
  maxIterations: count
    .nullable()
    .default(null)
    .describe('As `maxEpochs`, in iterations; none by default.'),
  clipNorm: positive
    .nullable()
    .default(1)
    .describe('Largest norm of all gradients together; null for none.'),
  size: z
    .union([z.literal('auto'), side])
    .default('auto')
    .describe("Pixels of a side that the network sees; `auto`: the model's own."),
  resize: z
    .union([z.literal('auto'), side])
    .default('auto')
    .describe(
      'Pixels of a side that images are resized to before the crop; `auto`: 8/7 of `size` (256 for 224).',
    ),
  inputChannels: z
    .literal([1, 3])
    .default(3)
    .describe(
      'Channels that the network sees: 3, grey images repeated; or 1, the luminance of colour ones.',
    ),
  normalize: z
    .enum(['data', 'imagenet'])
    .default('data')
    .describe("Channel means and deviations: of the training split, or ImageNet's."),
  augment: z
    .union([z.boolean(), z.record(z.string(), z.unknown())])
    .default(true)
    .describe(
      "The training split's random changes: on with their defaults, off, or each one's settings.",
    ),
  onBadImage: z
    .enum(['error', 'skip'])
    .default('error')
    .describe('`skip` leaves bad images out and counts them; `error` lists them all and stops.'),
  device: z
    .string()
    .regex(/^(auto|cpu|cuda(:\d+)?)$/, 'auto, cpu, cuda or cuda:<number>')
    .default('auto')
    .describe('Where a run computes: `cpu`, `cuda`, `cuda:1`; `auto`: a GPU where there is one.'),
  precision: z
    .enum(['auto', 'fp32', 'bf16'])
    .default('auto')
    .describe('Number format; `auto`: bf16 where the processor or GPU computes in it, else fp32.'),
  threads: z
    .union([z.literal('auto'), count])
    .default('auto')
    .describe('Threads of LibTorch; `auto`: the cores that the process may use.'),
  workers: z
    .union([z.literal('auto'), z.int().min(0)])
    .default('auto')
    .describe('Processes or threads that decode images ahead of training; never changes a result.'),
  cache: z
    .boolean()
    .default(true)
    .describe(
      'Resized images are kept in the cache folder between epochs and runs; never changes a result.',
    ),
  logEvery: count.default(10).describe('A line of log.jsonl every so many iterations.'),
  checkpointSeconds: z
    .number()
    .min(0)
    .default(60)
    .describe(
      'At least this long between two states to resume from, in seconds. 0: after every step.',
    ),
});

export type TrainingSettings = z.output<typeof trainingSchema>;

export const initOptionsSchema = z.strictObject({
  norm: z
    .enum(['reset', 'sample'])
    .default('reset')
    .describe(
      'Normalisation layers under `st`, and in the modules of `wt-st-n` that are not kept: put back to 1 and 0, or sampled like any weight.',
    ),
  tokens: z
    .enum(['sample', 'keep'])
    .default('sample')
    .describe('Class token and position embeddings, likewise: sampled, or kept as pretrained.'),
  kaiming: z
    .boolean()
    .default(false)
    .describe('Kaiming initialisation for every layer under `ri`.'),
  firstConv: z
    .enum(['sum', 'slice'])
    .default('sum')
    .describe(
      'How a pretrained first convolution of three channels serves one (`training.inputChannels: 1`).',
    ),
});

/**
 * One run. `data` is checked further by the data set that its `kind` names; results and figures need
 * no more of it than this.
 */
export const runConfigSchema = z.strictObject({
  data: z.looseObject({ kind: z.string() }),
  splitsFile: z
    .string()
    .optional()
    .describe(
      'A CSV file that says which sample is in which split; drawn with `splitSeed` where absent.',
    ),
  splitSeed: z.int().min(0).default(0),
  model: z.string(),
  init: initSchema,
  initOptions: initOptionsSchema.prefault({}),
  weights: z.string().optional().describe('The checkpoint that all but `ri` read.'),
  seed: z.int().min(0).default(0),
  training: trainingSchema.prefault({}),
});

export type RunConfig = z.output<typeof runConfigSchema>;

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
