/**
 * node --import tsx scripts/transfer-properties.ts [model …]
 * WT-ST-n/m on whole networks, all registered ones by default: for every n each tensor is, bit for bit, that of WT up
 * to module n and that of ST after it, and what ST draws has the mean and deviation of its source within
 * sampling error. Prints a line a network; fails where one does not hold. Minutes for the large ones.
 */
import { createHash } from 'node:crypto';
import { createModel, type ImageModel, modelIds } from '../src/models/index.ts';
import { initialise, statisticsOf, type TransferSettings } from '../src/transfer/index.ts';
import type { StoredTensor, WeightFile } from '../src/weights/index.ts';

/** Standard errors that a mean or deviation may be off: false alarms once in a million tensors. */
const tolerance = 5.5;
const seed = 3;

const chosen = process.argv.slice(2);
for (const id of chosen.length > 0 ? chosen : [...modelIds(), 'deit_small:5']) {
  const problems = examine(id);
  process.stdout.write(`${id}: ${problems.length === 0 ? 'holds' : 'FAILS'}\n`);
  for (const problem of problems.slice(0, 10)) process.stdout.write(`  ${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}

function examine(id: string): string[] {
  const model = createModel(id, { classes: 4 });
  try {
    initialise(model, { scheme: 'ri', seed: 99 });
    const weights = checkpointOf(model);
    const start = (settings: Partial<TransferSettings>): Map<string, string> => {
      initialise(model, { scheme: 'wt', seed, weights, ...settings });
      return hashesOf(model);
    };
    const transferred = start({});
    const sampled = start({ scheme: 'st' });
    const problems = [...wrongStatistics(model, weights)];
    for (let keep = 0; keep <= model.groups.length; keep++) {
      const mixed = start({ scheme: 'wt-st', keep });
      for (const [name, hash] of mixed) {
        const group = model.groups.findIndex(({ name: own }) => own === model.groupOf(name)?.name);
        // The head has no module and is the same in all.
        const expected = group < keep ? transferred.get(name) : sampled.get(name);
        if (hash !== expected) problems.push(`${name} at n = ${keep} is neither WT's nor ST's`);
      }
    }
    return problems;
  } finally {
    model.dispose();
  }
}

/** The network's tensors as a checkpoint. */
function checkpointOf(model: ImageModel): WeightFile {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of model.state()) {
    const values = tensor.toTypedArray();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    tensors.set(name, { dtype: tensor.dtype, shape: tensor.shape, bytes });
  }
  return { path: 'made here', format: 'safetensors', tensors, metadata: {} };
}

function hashesOf(model: ImageModel): Map<string, string> {
  return new Map(
    [...model.state()].map(([name, tensor]) => {
      const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
      const hash = createHash('sha256').update(new Uint8Array(buffer, byteOffset, byteLength));
      return [name, hash.digest('hex')];
    }),
  );
}

/** Drawn tensors of `model`, which is under ST, whose statistics are not those of their source. */
function* wrongStatistics(model: ImageModel, weights: WeightFile): Generator<string> {
  const { tensors } = initialise(model, { scheme: 'st', seed, weights });
  for (const name of tensors.sampled) {
    const [drawn, source] = [model.state().get(name)?.toArray(), weights.tensors.get(name)];
    if (!drawn || !source) continue;
    const { bytes } = source;
    const given = statisticsOf(new Float32Array(bytes.buffer, bytes.byteOffset, drawn.length));
    const own = statisticsOf(drawn);
    const count = drawn.length;
    const meanError = Math.abs(own.mean - given.mean) / (given.deviation / Math.sqrt(count));
    const deviationError = Math.abs(own.deviation / given.deviation - 1) * Math.sqrt(2 * count);
    // A constant tensor is drawn as that constant.
    if (given.deviation === 0) {
      if (drawn.some((value) => value !== Math.fround(given.mean))) yield `${name} is not constant`;
    } else if (meanError > tolerance || (count > 30 && deviationError > tolerance)) {
      yield `${name}: mean off by ${meanError.toFixed(1)} standard errors, deviation by ${deviationError.toFixed(1)}`;
    }
  }
}
