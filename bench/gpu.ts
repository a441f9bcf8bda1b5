/**
 * Training and features on a GPU against PyTorch, for every model: eager with AMP and channels-last, and compiled where
 * that works. Also a whole epoch from the cache against the rate on images that are there already.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSynthetic } from '../src/data/index.ts';
import { describeGpu, libtorchCuda } from '../src/tensor/index.ts';
import { median } from '../src/util/index.ts';
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts';
import { alternate, type Program, runProgram, spreadOf, trainingSpeed } from './pairing.ts';
import { type Measured, sameLibraries } from './train.ts';

/** Where starting kernels is most of the time, more is asked. */
const models = [
  { model: 'resnet18', target: 1.3 },
  { model: 'resnet50', target: 1 },
  { model: 'resnet152', target: 1 },
  { model: 'inception_v3', target: 1 },
  { model: 'deit_tiny', target: 1.3 },
  { model: 'deit_small', target: 1 },
  { model: 'deit_base', target: 1 },
  { model: 'swin_tiny', target: 1 },
] as const;

/** Of the rate on images that are on the device already. */
const EPOCH_SHARE = 0.9;

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const gpu: Benchmark = {
  name: 'gpu',
  summary: 'training and features on a GPU, bfloat16, against PyTorch with AMP and channels-last',
  async *run(options) {
    const batches = options.batches ?? [options.batch];
    for (const { model, target } of models) {
      for (const batch of batches) {
        const cases = [
          { what: 'train', against: 'eager', target },
          { what: 'train', against: 'compile', target: 0 },
          { what: 'features', against: 'eager', target },
        ] as const;
        for (const one of cases) {
          const name = `${model}-${one.what}-${one.against}-${batch}`;
          if (options.only && !name.includes(options.only)) continue;
          yield* await compare({ model, batch, ...one }, options);
        }
      }
    }
    if (!options.only || 'epoch'.includes(options.only)) {
      yield await epochFromCache(options).catch((error: unknown) =>
        failed('a run from the cache', EPOCH_SHARE, reasonOf(error), options.say),
      );
    }
  },
  facts({ device = 'cuda' }) {
    if (device === 'cpu') return {};
    const index = Number(device.split(':')[1] ?? 0);
    const { name = 'unknown', computeCapability, memory = 0 } = describeGpu(index) ?? {};
    const memoryOf = `${Math.round(memory / 2 ** 30)} GiB`;
    return { gpu: name, computeCapability, gpuMemory: memoryOf, cuda: libtorchCuda() };
  },
};

interface Case {
  model: string;
  batch: number;
  what: 'train' | 'features';
  against: 'eager' | 'compile';
  target: number;
}

/** No row where PyTorch cannot compile, as it cannot everything everywhere; any other failure is a row that says so. */
async function compare(
  { model, batch, what, against, target }: Case,
  { python, rounds, threads, device = 'cuda', say }: BenchmarkOptions,
): Promise<Row[]> {
  const shared = ['--model', model, '--batch', String(batch), '--threads', String(threads)];
  const both = [...shared, '--precision', 'bf16', '--device', device];
  const ours: Program = {
    name: 'carryover',
    command: process.execPath,
    arguments: ['--import', 'tsx', place(`children/${what}.ts`), ...both],
  };
  const theirs: Program = {
    name: 'PyTorch',
    command: python,
    arguments: [
      place(`../scripts/reference/${what}.py`),
      ...both,
      ...(against === 'compile' ? ['--compile'] : []),
    ],
    environment: sameLibraries(python),
  };
  const name = `${model}, ${what}, batch ${batch}; PyTorch ${against}`;
  try {
    const results = await alternate<Measured>(ours, theirs, rounds, (round) =>
      say(`gpu ${name}: round ${round + 1} of ${rounds}`),
    );
    const rate = (measured: Measured) => batch / median(measured.seconds);
    return [
      {
        name,
        unit: 'images/s',
        ours: spreadOf(results.ours.map(rate)),
        reference: spreadOf(results.reference.map(rate)),
        ratio: spreadOf(
          results.ours.map((one, round) => rate(one) / rate(results.reference[round] ?? one)),
        ),
        target,
        notes: against === 'compile' ? 'for information, no target' : undefined,
      },
    ];
  } catch (error) {
    const reason = reasonOf(error);
    if (against === 'compile') {
      say(`gpu ${name}: left out, a side failed: ${reason}`);
      return [];
    }
    return [failed(name, target, reason, say)];
  }
}

/** The line that names an error in what a program printed: Node ends with its version, Python with the error. */
function reasonOf(error: unknown): string {
  const lines = String(error).trim().split('\n');
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? '';
}

/** A row of no numbers, which misses its target; the program ends with an error once all is written. */
function failed(name: string, target: number, reason: string, say: BenchmarkOptions['say']): Row {
  say(`error: gpu ${name}: ${reason}`);
  process.exitCode = 1;
  const nothing = spreadOf([Number.NaN]);
  return {
    name,
    unit: 'images/s',
    ours: nothing,
    reference: nothing,
    ratio: nothing,
    target,
    notes: `failed: ${reason.replaceAll('|', ' ')}`,
  };
}

/** A whole run from the cache: images a second of training steps, waiting for images counted. */
async function epochFromCache({
  threads,
  rounds,
  batch,
  batches = [batch],
  device = 'cuda',
  say,
}: BenchmarkOptions): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-epoch-'));
  const size = Math.min(...batches);
  const model = 'resnet50';
  try {
    const data = join(folder, 'data');
    await writeSynthetic('patterns', data, {
      seed: 0,
      size: 256,
      perClass: Math.max(64, size * 2),
    });
    const command = place('../bin/carryover.mjs');
    const settings = [`batchSize=${size}`, 'maxEpochs=4', 'precision=bf16', `device=${device}`];
    const measured: { epoch: number[]; synthetic: number[] } = { epoch: [], synthetic: [] };
    for (let round = 0; round < rounds; round++) {
      const out = join(folder, `run-${round}`);
      const train = ['train', '--data', `folder:${data}`, '--model', model, '--init', 'ri'];
      const set = settings.flatMap((one) => ['--set', `training.${one}`]);
      const given = [command, ...train, '--out', out, ...set];
      measured.epoch.push(
        await trainingSpeed({ command: process.execPath, arguments: given }, out),
      );
      const shared = ['--model', model, '--batch', String(size), '--threads', String(threads)];
      const synthetic = await runProgram<Measured>({
        name: 'carryover',
        command: process.execPath,
        arguments: [
          '--import',
          'tsx',
          place('children/train.ts'),
          ...shared,
          '--precision',
          'bf16',
          '--device',
          device,
        ],
      });
      measured.synthetic.push(size / median(synthetic.seconds));
      say(`gpu epoch: round ${round + 1} of ${rounds}`);
    }
    return {
      name: `${model}, batch ${size}: a run from the cache; the reference on images that are there`,
      unit: 'images/s',
      ours: spreadOf(measured.epoch),
      reference: spreadOf(measured.synthetic),
      ratio: spreadOf(
        measured.epoch.map((rate, round) => rate / (measured.synthetic[round] ?? Number.NaN)),
      ),
      target: EPOCH_SHARE,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
