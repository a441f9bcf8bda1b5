/**
 * Times training steps as `carryover train` makes them: the same stepper, optimiser, clipping and
 * precision. Prints one JSON object: seconds of every counted step and the peak resident bytes.
 */
import { parseArgs } from 'node:util';
import { createModel } from '../../src/models/index.ts';
import { trainingSchema } from '../../src/results/index.ts';
import {
  keep,
  libtorchVersion,
  ops,
  setDeterministic,
  setThreadCount,
  tensor,
} from '../../src/tensor/index.ts';
import { Stepper } from '../../src/train/index.ts';
import { initialise } from '../../src/transfer/index.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    batch: { type: 'string', default: '16' },
    size: { type: 'string', default: '224' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '6' },
    warmup: { type: 'string', default: '2' },
    precision: { type: 'string', default: 'fp32' },
    device: { type: 'string', default: 'cpu' },
  },
});
const batchSize = Number(values.batch);
const size = Number(values.size);
const { device } = values;
const warmup = Number(values.warmup);

setThreadCount(Number(values.threads));
// As a run does.
if (device !== 'cpu') setDeterministic(true);
const model = createModel(values.model ?? '', { classes: 1000, imageSize: size });
initialise(model, { scheme: 'ri', seed: 0 });
if (device !== 'cpu') model.to({ device });
model.train();
const stepper = new Stepper({
  model,
  task: 'multiclass',
  training: trainingSchema.parse({}),
  resolved: {
    device,
    precision: values.precision === 'bf16' ? 'bf16' : 'fp32',
    optimizer: model.family === 'cnn' ? 'adam' : 'adamw',
    learningRate: 1e-4,
  },
});
const images = keep(
  ops.normal_(ops.zeros([batchSize, 3, size, size], { device })).contiguous('channelsLast'),
);
const labels = keep(
  tensor(
    Array.from({ length: batchSize }, (_, index) => index % 1000),
    { dtype: 'int64' },
  ).to({ device }),
);
const batch = { images, labels, indices: [], dispose: () => {} };

const seconds: number[] = [];
for (let step = 0; step < warmup + Number(values.steps); step++) {
  const start = process.hrtime.bigint();
  stepper.step(batch, 1e-4, step);
  stepper.readLosses(step + 1);
  if (step >= warmup) seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
}
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ seconds, peakBytes, version: libtorchVersion() })}\n`);
