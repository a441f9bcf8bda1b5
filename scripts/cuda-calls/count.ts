/**
 * Trains a few steps and evaluates on the GPU that writes down what it is asked (runtime.cc), and prints how
 * often each kind of call was made. To be started by scripts/cuda-calls.sh.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Loader,
  type LoaderOptions,
  openDataSet,
  parseAugment,
  parseDataArgument,
  writeSynthetic,
} from '../../src/data/index.ts';
import { predict } from '../../src/eval/index.ts';
import { createModel, describeModel } from '../../src/models/index.ts';
import { trainingSchema } from '../../src/results/index.ts';
import { manualSeed, setDeterministic } from '../../src/tensor/index.ts';
import { Stepper } from '../../src/train/index.ts';
import { initialise } from '../../src/transfer/index.ts';

const device = 'cuda:0';
const BATCH = 16;
const STEPS = 4;
const CLASSES = 10;

const log = process.env.CARRYOVER_CUDA_CALLS ?? '';
const id = process.argv[2] ?? 'deit_tiny';
const table: Record<string, Record<string, number>> = {};

/** Counts what was asked since the last time, under a name; the first word of a line is its kind. */
function count(name: string): void {
  const lines = readFileSync(log, 'utf8').split('\n');
  const since = lines.slice(lines.lastIndexOf('counted') + 1).filter((line) => line !== '');
  const counts: Record<string, number> = {};
  for (const line of since) {
    const [first = ''] = line.split(' ', 1);
    const kind = first === 'copy' ? line.replace(/,.*/, '') : first;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  table[name] = counts;
  appendFileSync(log, 'counted\n');
}

const folder = mkdtempSync(join(tmpdir(), 'carryover-cuda-calls-'));
process.env.CARRYOVER_CACHE = join(folder, 'cache');
try {
  const pictures = join(folder, 'pictures');
  await writeSynthetic('patterns', pictures, { seed: 0, size: 64, perClass: 16 });
  const dataset = await openDataSet(parseDataArgument(`folder:${pictures}`));
  setDeterministic(true);
  manualSeed(0);
  const { family, imageSize } = describeModel(id);
  const model = createModel(id, { classes: CLASSES });
  initialise(model, { scheme: 'ri', seed: 0 });
  model.to({ device });
  model.train();
  const stepper = new Stepper({
    model,
    task: 'multiclass',
    training: trainingSchema.parse({}),
    resolved: {
      device,
      precision: 'bf16',
      optimizer: family === 'cnn' ? 'adam' : 'adamw',
      learningRate: 1e-4,
    },
  });
  const shared: LoaderOptions = {
    dataset,
    indices: dataset.samples.map((_, index) => index),
    size: imageSize,
    resize: Math.round((imageSize * 256) / 224),
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
    batchSize: BATCH,
    augment: parseAugment(true),
    shuffle: true,
    dropLast: true,
    seed: 0,
    workers: 0,
    onBadImage: 'error',
    device,
  };
  const loader = await Loader.open(shared);
  count('the network goes to the device');
  let step = 0;
  for await (const batch of loader.epoch(0)) {
    count(step === 0 ? 'the first two batches' : `batch ${step + 2}`);
    stepper.step(batch, 1e-4, step);
    batch.dispose();
    step += 1;
    count(`step ${step}`);
    if (step === STEPS) break;
  }
  stepper.takeLosses(step);
  count(`${STEPS} losses`);
  await loader.close();
  const plain = await Loader.open({ ...shared, augment: false });
  await predict(model, plain, { device, precision: 'bf16' });
  count(`evaluation of ${plain.batchesPerEpoch} batches`);
  await plain.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

process.stdout.write(`${id}, batches of ${BATCH}\n`);
for (const [name, counts] of Object.entries(table)) {
  const text = Object.entries(counts).map(([kind, times]) => `${times} × ${kind}`);
  process.stdout.write(`  ${name}: ${text.join(', ') || 'nothing'}\n`);
}
const waiting = Object.keys(table).filter(
  (name) => /^(step|batch)/.test(name) && table[name]?.wait,
);
if (waiting.length > 0) {
  process.stdout.write(`error: ${waiting.join(', ')}: expected no wait for the device\n`);
  process.exitCode = 1;
}
