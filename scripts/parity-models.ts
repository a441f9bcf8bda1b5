/**
 * Compares every network with files of scripts/golden/models_full.py: parameter counts, logits, the embedding
 * of every tap, and loss and gradients of a train-mode pass. Prints a line for each, and fails above the
 * tolerances. Started by scripts/parity-models.sh.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createModel, type ImageModel } from '../src/models/index.ts';
import { crossEntropy, Dropout } from '../src/nn/index.ts';
import {
  availableCores,
  backward,
  clearGradients,
  fromTypedArray,
  gradientsOf,
  inferenceMode,
  libtorchVersion,
  ops,
  scope,
  setThreadCount,
  type Tensor,
} from '../src/tensor/index.ts';
import { loadWeights, readWeights, type WeightFile } from '../src/weights/index.ts';
import { toDouble } from '../test/models/formula.ts';

/** Absolute, of logits and embeddings. */
const VALUE_TOLERANCE = 1e-4;
/** Relative, of the loss and of each gradient as a vector. */
const GRADIENT_TOLERANCE = 1e-3;
/** Of the error of PyTorch's own float32 gradients, where ReLUs make them differ from kernel to kernel. */
const KINK_FACTOR = 1.5;
const CLASSES = 1000;

let failures = 0;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report(what: string, error: number, tolerance: number, kind: string): void {
  const isRight = error <= tolerance;
  if (!isRight) failures += 1;
  const verdict = isRight ? 'ok' : `DIFFERS (at most ${tolerance})`;
  print(`  ${what}: largest ${kind} difference ${error.toExponential(2)}: ${verdict}`);
}

/** A stored tensor in the caller's scope. */
function tensorOf(file: WeightFile, name: string): Tensor {
  const stored = file.tensors.get(name);
  if (!stored) throw new Error(`${file.path}: no ${name}`);
  return fromTypedArray(stored.bytes, stored.shape, { dtype: stored.dtype });
}

/** The largest absolute difference of two tensors of the same shape; infinite where they have none. */
function largestDifference(ours: Tensor, theirs: Tensor): number {
  if (ours.shape.join() !== theirs.shape.join()) return Number.POSITIVE_INFINITY;
  const difference = scope(() => ops.max(ops.abs(ops.sub(ours, theirs))).item());
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** The largest relative difference of two lists of gradients, each as a vector, and which one has it. */
function furthest(
  found: readonly ArrayLike<number>[],
  wanted: readonly ArrayLike<number>[],
): { error: number; index: number } {
  const lengths = wanted.map((values) => norm(Array.from(values)));
  // A gradient that is nothing beside the others is compared with them.
  const floor = 1e-6 * norm(lengths);
  const errors = wanted.map((values, index) => {
    const other = found[index] ?? [];
    if (other.length !== values.length) return Number.POSITIVE_INFINITY;
    const difference = Array.from(values, (value, at) => value - (other[at] ?? Number.NaN));
    const error = norm(difference) / Math.max(lengths[index] ?? 0, floor);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  });
  const error = Math.max(...errors);
  return { error, index: errors.indexOf(error) };
}

function compareValues(model: ImageModel, expected: WeightFile): void {
  model.eval();
  scope(() =>
    inferenceMode(() => {
      const images = tensorOf(expected, 'images');
      let largest = 0;
      let count = 0;
      const logits = model.forward(images, (tap, value) => {
        for (const kind of model.embeddingKinds(tap)) {
          const theirs = tensorOf(expected, `tap/${tap}/${kind}`);
          largest = Math.max(largest, largestDifference(model.embedding(tap, value, kind), theirs));
          count += 1;
        }
      });
      const wanted = [...expected.tensors.keys()].filter((name) => name.startsWith('tap/')).length;
      if (count !== wanted) largest = Number.POSITIVE_INFINITY;
      const theirs = tensorOf(expected, 'logits');
      report('logits', largestDifference(logits, theirs), VALUE_TOLERANCE, 'absolute');
      const plain = model.forward(images);
      report('logits, unobserved', largestDifference(plain, theirs), VALUE_TOLERANCE, 'absolute');
      const taps = `${count} embeddings of ${model.taps.length} taps`;
      report(taps, largest, VALUE_TOLERANCE, 'absolute');
    }),
  );
}

function compareTraining(
  model: ImageModel,
  expected: WeightFile,
  training: WeightFile,
  dtype: 'float32' | 'float64',
): void {
  model.train();
  for (const module of model.namedModules().values()) {
    // The one random part of a pass, which the reference leaves out.
    if (module instanceof Dropout) module.eval();
  }
  scope(() => {
    const images = tensorOf(expected, 'images').to({ dtype });
    const loss = crossEntropy(model.forward(images), tensorOf(training, 'labels'));
    const theirLoss = tensorOf(training, `${dtype}-loss`).item();
    const lossError = Math.abs(loss.item() / theirLoss - 1);
    report(`loss in ${dtype}`, lossError, GRADIENT_TOLERANCE, 'relative');
    backward(loss);
    const parameters = [...model.namedParameters()];
    const names = parameters.map(([name]) => name);
    const theirs = (type: string) =>
      names.map((name) => tensorOf(training, `${type}/${name}`).toArray());
    const ours = gradientsOf(parameters.map(([, parameter]) => parameter)).map((each) =>
      each ? each.toArray() : [],
    );
    const what = `${names.length} gradients in ${dtype}`;
    const { error, index } = furthest(ours, theirs(dtype));
    if (dtype === 'float64' || error <= GRADIENT_TOLERANCE) {
      const where = `${what} (furthest: ${names[index]})`;
      report(where, error, GRADIENT_TOLERANCE, 'relative');
    } else {
      // A ReLU's kink: what one float32 kernel can differ from another by is what each differs from float64 by.
      const truth = theirs('float64');
      const own = furthest(theirs('float32'), truth).error;
      const against = `PyTorch’s own are ${own.toExponential(2)} from float64, ours`;
      report(`${what}: ${against}`, furthest(ours, truth).error, KINK_FACTOR * own, 'relative');
    }
    clearGradients(parameters.map(([, parameter]) => parameter));
  });
}

async function compareModel(folder: string, name: string): Promise<void> {
  const [id = '', size = ''] = name.split('-');
  const path = join(folder, name);
  const weights = await readWeights(`${path}.weights.pth`);
  const expected = await readWeights(`${path}.expected.pth`);
  const model = createModel(id, { classes: CLASSES, imageSize: Number(size) });
  const { matched, unexpected, ignored, adapted } = loadWeights(model, weights);
  print(`${id}, ${size} px, batch 8`);
  const rest = [`${unexpected.length} unexpected`, `${ignored.length} ignored`];
  print(`  checkpoint: ${matched.length} tensors matched, ${rest.join(', ')}`);
  if (unexpected.length + adapted.length > 0) failures += 1;
  const counts = [...model.namedParameters().values()].map(({ elementCount }) => elementCount);
  const ours = counts.reduce((sum, count) => sum + count, 0);
  const theirs = scope(() => tensorOf(expected, 'parameters').item());
  const verdict = ours === theirs ? 'ok' : `DIFFERS (${theirs})`;
  if (ours !== theirs) failures += 1;
  print(`  ${ours.toLocaleString('en')} parameters: ${verdict}`);
  compareValues(model, expected);
  if (existsSync(`${path}.training.pth`)) {
    const training = await readWeights(`${path}.training.pth`);
    compareTraining(model, expected, training, 'float32');
    compareTraining(toDouble(model), expected, training, 'float64');
  }
  model.dispose();
}

const folder = process.argv[2] ?? '';
if (!process.env.OMP_NUM_THREADS) setThreadCount(availableCores());
print(`LibTorch here ${libtorchVersion()}, float32`);
const suffix = '.weights.pth';
const names = readdirSync(folder).filter((name) => name.endsWith(suffix));
for (const name of names.sort()) await compareModel(folder, name.slice(0, -suffix.length));
print(failures === 0 ? `${names.length} networks: ok` : `${failures} comparisons differ`);
process.exitCode = failures === 0 && names.length > 0 ? 0 : 1;
