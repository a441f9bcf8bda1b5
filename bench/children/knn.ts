/**
 * Times k-NN. `--case pass`: a plain forward pass over some images, and the pass that collects the
 * embeddings of all taps with k-NN at all of them. `--case search`: nearest neighbours of many queries in a
 * large bank. Prints one JSON object: seconds, and the peak resident bytes.
 */
import { parseArgs } from 'node:util';
import {
  EmbeddingStore,
  evaluateScores,
  nearestNeighbours,
  observeInParts,
  vote,
} from '../../src/analysis/index.ts';
import { createModel, type ImageModel } from '../../src/models/index.ts';
import { inferenceMode, ops, scope, setThreadCount, type Tensor } from '../../src/tensor/index.ts';
import { initialise } from '../../src/transfer/index.ts';
import { RandomStream } from '../../src/util/index.ts';

const { values: flags } = parseArgs({
  options: {
    case: { type: 'string', default: 'pass' },
    model: { type: 'string', default: 'resnet50' },
    images: { type: 'string', default: '256' },
    threads: { type: 'string', default: '2' },
    queries: { type: 'string', default: '20000' },
    bank: { type: 'string', default: '100000' },
    width: { type: 'string', default: '768' },
  },
});
setThreadCount(Number(flags.threads));

const CLASSES = 8;
const BATCH = 64;
const description = {
  task: 'multiclass',
  metric: 'recall',
  classes: Array.from({ length: CLASSES }, (_, index) => `c${index}`),
} as const;

function seconds(body: () => void): number {
  const start = performance.now();
  body();
  return (performance.now() - start) / 1000;
}

/** Features of every tap of one batch, as the measure collects them. */
function collect(model: ImageModel, images: Tensor, store: EmbeddingStore, split: string): void {
  scope(() =>
    inferenceMode(() =>
      observeInParts(model, images, (body) => body())((name, taps) => {
        if (taps.length === 0) return;
        for (const kind of model.embeddingKinds(name)) {
          if (kind === 'both') continue;
          const values = scope(() =>
            ops
              .cat(
                taps.map((tap) => model.embedding(name, tap, kind)),
                0,
              )
              .toTypedArray(),
          );
          if (!(values instanceof Float32Array)) throw new Error('not float32');
          store.append(`${split}/${name}/${kind}`, values, values.length / BATCH);
        }
      }),
    ),
  );
}

function measurePass(): Record<string, number> {
  const model = createModel(flags.model, { classes: CLASSES });
  initialise(model, { scheme: 'ri', seed: 0 });
  model.eval();
  const batches = Math.ceil(Number(flags.images) / BATCH);
  const size = model.inputSize;
  const images = ops
    .normal_(ops.zeros([BATCH, 3, size, size]))
    .contiguous(model.family === 'cnn' ? 'channelsLast' : 'contiguous');
  const labels = Array.from({ length: batches * BATCH }, (_, index) => index % CLASSES);
  const plainPass = (): void => {
    for (let batch = 0; batch < batches; batch++) {
      scope(() => inferenceMode(() => model.forward(images).toTypedArray()));
    }
  };
  const allTaps = (): void => {
    const store = new EmbeddingStore();
    for (let batch = 0; batch < batches; batch++) {
      // Half of the images are the bank's.
      collect(model, images, store, batch % 2 === 0 ? 'train' : 'test');
    }
    for (const { name } of model.taps) {
      for (const kind of model.embeddingKinds(name)) {
        if (kind === 'both') continue;
        const bank = store.read(`train/${name}/${kind}`);
        const queries = store.read(`test/${name}/${kind}`);
        const scores = vote(nearestNeighbours(bank, queries, 200), labels, description, {
          weights: 'exponential',
          temperature: 0.1,
        });
        evaluateScores(scores, labels.slice(0, queries.rows), description);
      }
    }
    store.dispose();
  };
  scope(() => inferenceMode(() => model.forward(images).toTypedArray()));
  const plain = [seconds(plainPass)];
  const ours = [seconds(allTaps)];
  ours.push(seconds(allTaps));
  plain.push(seconds(plainPass));
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return { plain: Math.min(...plain), ours: Math.min(...ours), peakBytes };
}

function measureSearch(): Record<string, number> {
  const width = Number(flags.width);
  const random = (rows: number, seed: string) => {
    const stream = new RandomStream(seed);
    const values = new Float32Array(rows * width);
    for (let at = 0; at < values.length; at++) values[at] = stream.next() - 0.5;
    return { values, rows, width };
  };
  const bank = random(Number(flags.bank), 'bank');
  const queries = random(Number(flags.queries), 'queries');
  const ours = seconds(() => {
    nearestNeighbours(bank, queries, 200);
  });
  return { ours, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

const result = flags.case === 'search' ? measureSearch() : measurePass();
process.stdout.write(`${JSON.stringify(result)}\n`);
