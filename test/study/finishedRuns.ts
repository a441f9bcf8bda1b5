/** Folders of finished runs with the files that training leaves, written without training. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunRecord, writeRunRecord } from '../../src/results/index.ts';
import type { PlannedRun } from '../../src/study/index.ts';

export interface FinishedAs {
  /** Test metric; without it, the metric is undefined. */
  metric?: number;
  /** Validation metric by evaluation; every second iteration. */
  validation?: number[];
  seconds?: number;
  warnings?: string[];
  finishedAt?: string;
}

/** The record of a run that came to these numbers. */
export function finishedRecord(run: PlannedRun, as: FinishedAs): RunRecord {
  const { metric, validation = [0.4, 0.5], seconds = 10, warnings = [] } = as;
  const evaluation = (value: number | undefined) => ({
    metric: 'recall' as const,
    primary: value === undefined ? { reason: 'class b is absent' } : { value },
    loss: 0.5,
    samples: 10,
    metrics: {},
    perClass: {},
  });
  const best = validation.indexOf(Math.max(...validation));
  return {
    format: 1,
    runId: run.id,
    status: 'finished',
    heartbeat: '2024-01-01T00:00:00.000Z',
    startedAt: '2024-01-01T00:00:00.000Z',
    finishedAt: as.finishedAt ?? '2024-01-01T00:00:10.000Z',
    sessions: 1,
    progress: { iteration: 20, maxIterations: 20 },
    config: run.config,
    resolved: {
      device: 'cpu',
      deviceName: 'A processor',
      precision: 'fp32',
      threads: 1,
      optimizer: 'adam',
      learningRate: 1e-4,
      batchSize: 8,
      size: 64,
      resize: 72,
      iterationsPerEpoch: 10,
      maxIterations: 20,
    },
    versions: { carryover: '0.1.0', node: '20.20.0', libtorch: '1.13.1' },
    data: {
      name: run.data,
      identity: 'identity',
      task: 'multiclass',
      metric: 'recall',
      classes: ['a', 'b'],
      counts: { train: 6, val: 2, test: 2 },
      splits: 'splits',
      mean: [0.5, 0.5, 0.5],
      std: [0.2, 0.2, 0.2],
      skipped: [],
    },
    parameters: 700_000,
    warnings,
    result: {
      ended: 'maxEpochs',
      iterations: 2 * validation.length,
      epochs: 2,
      iterationsToBest: 2 * (best + 1),
      validation: evaluation(validation[best]),
      test: evaluation(metric),
      imagesPerSecond: 100,
      trainingSeconds: seconds / 2,
      wallSeconds: seconds,
      peakMemoryBytes: 4e8,
    },
  };
}

/** Writes a run's run.json and log.jsonl. */
export async function writeFinished(study: string, run: PlannedRun, as: FinishedAs): Promise<void> {
  const folder = join(study, run.id);
  const { validation = [0.4, 0.5] } = as;
  await mkdir(folder, { recursive: true });
  await writeRunRecord(folder, finishedRecord(run, as));
  const head = { epoch: 1, learningRate: 1e-4, loss: 0.7 };
  const lines = validation.flatMap((value, at) => [
    { kind: 'train', iteration: 2 * at + 1, ...head },
    {
      kind: 'evaluation',
      iteration: 2 * at + 2,
      ...head,
      metric: 'recall',
      value,
      metrics: {},
      best: true,
      schedule: 'continue',
    },
  ]);
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(join(folder, 'log.jsonl'), text);
}
