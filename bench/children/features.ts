/**
 * Times passes over images as `carryover features` makes them, or plain ones as `carryover predict` does.
 * Prints one JSON object: seconds of every counted batch and the peak resident bytes.
 */
import { parseArgs } from 'node:util';
import type { Batch } from '../../src/data/index.ts';
import { extractFeatures, predict } from '../../src/eval/index.ts';
import { createModel } from '../../src/models/index.ts';
import { keep, libtorchVersion, ops, setThreadCount } from '../../src/tensor/index.ts';
import { initialise } from '../../src/transfer/index.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    mode: { type: 'string', default: 'taps' },
    batch: { type: 'string', default: '32' },
    size: { type: 'string', default: '224' },
    threads: { type: 'string', default: '2' },
    batches: { type: 'string', default: '6' },
    warmup: { type: 'string', default: '2' },
    precision: { type: 'string', default: 'fp32' },
    device: { type: 'string', default: 'cpu' },
  },
});
const batchSize = Number(values.batch);
const size = Number(values.size);
const { device } = values;
const warmup = Number(values.warmup);
const count = warmup + Number(values.batches);

setThreadCount(Number(values.threads));
const model = createModel(values.model ?? '', { classes: 1000, imageSize: size });
initialise(model, { scheme: 'ri', seed: 0 });
if (device !== 'cpu') model.to({ device });
const images = keep(
  ops.normal_(ops.zeros([batchSize, 3, size, size], { device })).contiguous('channelsLast'),
);
const labels = keep(ops.zeros([batchSize], { dtype: 'int64', device }));
const indices = Array.from({ length: batchSize }, (_, index) => index);

/** When each batch was asked for, and the last one done: what lies between is one batch's work. */
const marks: bigint[] = [];
const loader = {
  async *epoch(): AsyncGenerator<Batch, void, undefined> {
    for (let index = 0; index < count; index++) {
      marks.push(process.hrtime.bigint());
      yield { images, labels, indices, dispose: () => {} };
    }
    marks.push(process.hrtime.bigint());
  },
};
const pass = { device, precision: values.precision === 'bf16' ? 'bf16' : 'fp32' } as const;
if (values.mode === 'plain') {
  await predict(model, loader, pass);
} else {
  await extractFeatures(model, loader, {
    ...pass,
    taps: model.taps.map(({ name }) => name),
    logits: true,
    onBatch: ({ embeddings, logits }) => {
      for (const value of embeddings.values()) value.toTypedArray();
      logits?.toTypedArray();
    },
  });
}
const seconds = marks.slice(1).map((mark, index) => Number(mark - (marks[index] ?? mark)) / 1e9);
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(
  `${JSON.stringify({ seconds: seconds.slice(warmup), peakBytes, version: libtorchVersion() })}\n`,
);
