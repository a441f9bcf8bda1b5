/**
 * A study folder as a long study leaves it, written without training: plan, run records, logs, analyses.
 * Every file is what the program's own schemas accept; the numbers are drawn.
 */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type AnalysisDocument,
  type RunConfig,
  type RunRecord,
  runConfigSchema,
} from '../../src/results/index.ts';
import type { Plan, PlannedRun, RunStatus } from '../../src/study/index.ts';
import { RandomStream } from '../../src/util/index.ts';

export interface SyntheticSettings {
  data?: string[];
  models?: string[];
  inits?: string[];
  seeds?: number;
  /** What has become of the run at a place of the plan; all are done by default. */
  statusOf?: (index: number, run: PlannedRun) => RunStatus;
  /** Evaluations in a log, each after three lines of training. */
  evaluations?: number;
  /** Which runs have kNN, L2 and calibration. */
  analysed?: (index: number) => boolean;
  /** Taps of the analyses. */
  taps?: number;
  /** Milliseconds since 1970 that count as now. */
  now?: number;
}

const classes = ['benign', 'malignant', 'unclear'];
const shape = { kept: 3, modules: 6 };

/** The plan of {@link writeSyntheticStudy}, without writing anything. */
export function syntheticPlan(folder: string, settings: SyntheticSettings = {}): Plan {
  const {
    data = ['isic2019', 'fundus'],
    models = ['resnet18', 'deit_tiny'],
    inits = ['ri', 'st', `WT-ST-${shape.kept}/${shape.modules - shape.kept}`, 'wt'],
    seeds = 3,
  } = settings;
  const seedList = Array.from({ length: seeds }, (_, seed) => seed);
  const runs = seedList.flatMap((seed) =>
    data.flatMap((name) =>
      models.flatMap((model) => inits.map((init) => ({ seed, data: name, model, init }))),
    ),
  );
  return {
    name: 'synthetic',
    folder,
    file: join(folder, 'synthetic.yaml'),
    data,
    models,
    inits,
    seeds: seedList,
    runs: runs.map(
      (run, index): PlannedRun => ({
        ...run,
        id: index.toString(16).padStart(16, '0'),
        role: 'target',
        samples: 1000,
        config: configOf(folder, run),
        parallel: 2,
      }),
    ),
  };
}

/** Writes the folder. @returns its plan */
export function writeSyntheticStudy(folder: string, settings: SyntheticSettings = {}): Plan {
  const { statusOf = () => 'done', now = Date.now() } = settings;
  const plan = syntheticPlan(folder, settings);
  mkdirSync(join(folder, 'splits'), { recursive: true });
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
  plan.runs.forEach((run, index) => {
    writeRun(folder, run, index, { ...settings, status: statusOf(index, run), now });
  });
  return plan;
}

function writeRun(
  folder: string,
  run: PlannedRun,
  index: number,
  {
    status,
    now,
    evaluations = 10,
    analysed = () => false,
    taps = 6,
  }: SyntheticSettings & { status: RunStatus; now: number },
): void {
  if (status === 'waiting') return;
  const place = join(folder, run.id);
  mkdirSync(place, { recursive: true });
  const random = new RandomStream('synthetic', index);
  const put = (name: string, value: unknown): void =>
    writeFileSync(join(place, name), `${JSON.stringify(value, null, 2)}\n`);
  put('run.json', recordOf(run, { status, now, random }));
  put('config.json', run.config);
  writeFileSync(join(place, 'log.jsonl'), logOf(evaluations, random));
  writeFileSync(join(place, 'splits.csv'), 'sample,group,class,split\n');
  if (status === 'failed') {
    put('failure.json', {
      at: new Date(now - 60_000).toISOString(),
      message: `step ${index}: expected a number, got NaN`,
      exitCode: 1,
      output: `training\nerror: step ${index}: expected a number, got NaN`,
    });
  }
  if (status === 'done' && analysed(index)) {
    mkdirSync(join(place, 'analysis'));
    for (const document of analysesOf(run, taps, random)) {
      put(`analysis/${document.measure}.json`, document);
    }
  }
  const at = new Date(now - 1000);
  utimesSync(join(place, 'run.json'), at, at);
}

function configOf(
  folder: string,
  { model, init, data, seed }: Pick<PlannedRun, 'model' | 'init' | 'data' | 'seed'>,
): RunConfig {
  const name = init.startsWith('WT-ST-') ? `wt-st-${/\d+/.exec(init)?.[0]}` : init;
  return runConfigSchema.parse({
    data: { kind: 'csv', path: `/data/${data}.csv` },
    splitsFile: join(folder, 'splits', `${data}.csv`),
    model,
    init: name,
    ...(name === 'ri' ? {} : { weights: `/weights/${model}.safetensors` }),
    seed,
    training: { threads: 1 },
  });
}

function evaluationOf(random: RandomStream) {
  const value = random.next();
  return {
    metric: 'recall' as const,
    primary: { value, over: classes.length, of: classes.length },
    loss: 1 - value / 2,
    samples: 200,
    metrics: { recall: { value }, kappa: { value: value - 0.1 }, auc: { reason: 'one class' } },
    perClass: Object.fromEntries(classes.map((name) => [name, { value: random.next() }])),
    confusion: classes.map(() => classes.map(() => random.integer(50))),
  };
}

/** As an analysis has it: without loss and size. */
function scoresOf(random: RandomStream) {
  const { loss: _loss, samples: _samples, ...scores } = evaluationOf(random);
  return scores;
}

function recordOf(
  run: PlannedRun,
  { status, now, random }: { status: RunStatus; now: number; random: RandomStream },
): RunRecord {
  const written = { done: 'finished', running: 'running', failed: 'failed' } as const;
  const known = status === 'done' || status === 'running' || status === 'failed';
  const started = now - 3_600_000;
  const seconds = 600 + random.integer(600);
  const ended = new Date(started + seconds * 1000).toISOString();
  return {
    format: 1,
    runId: run.id,
    status: known ? written[status] : 'stopped',
    ...(status === 'running'
      ? { owner: { pid: 1000 + random.integer(1000), host: `not-${hostname()}` } }
      : {}),
    heartbeat: status === 'running' ? new Date(now - 5000).toISOString() : ended,
    startedAt: new Date(started).toISOString(),
    ...(status === 'done' ? { finishedAt: ended } : {}),
    sessions: 1,
    progress: { iteration: 300, maxIterations: 1000, best: { iteration: 200, value: 0.5 } },
    ...(status === 'failed' ? { error: { message: 'it failed', exitCode: 1 } } : {}),
    config: run.config,
    resolved: {
      device: 'cpu',
      deviceName: 'a processor',
      precision: 'bf16',
      threads: 1,
      optimizer: 'adam',
      learningRate: 1e-4,
      batchSize: 64,
      size: 224,
      resize: 256,
      iterationsPerEpoch: 50,
      maxIterations: 1000,
    },
    versions: { carryover: '0.1.0', method: 1, node: '20.20.2', libtorch: '1.13.0' },
    data: {
      name: run.data,
      identity: '6d4a047318d1e0dd168a78b39e0494d40bf726cfe0887f8168725e4015f074a8',
      task: 'multiclass',
      metric: 'recall',
      classes,
      counts: { train: 700, val: 100, test: 200 },
      splits: '7845ea4fc9aa401228aa7ed2dc4576f3f0d30ca6888cffbf2b26e2fad7e814d0',
      mean: [0.49, 0.48, 0.44],
      std: [0.24, 0.24, 0.26],
      skipped: [],
    },
    parameters: 11_181_642,
    warnings: [],
    ...(status === 'done'
      ? {
          result: {
            ended: 'plateau',
            iterations: 1000,
            epochs: 20,
            iterationsToBest: 100 + random.integer(900),
            validation: evaluationOf(random),
            test: evaluationOf(random),
            imagesPerSecond: 50 + 50 * random.next(),
            trainingSeconds: seconds * 0.8,
            wallSeconds: seconds,
            peakMemoryBytes: 1_000_000_000 + random.integer(1_000_000),
          } as const,
        }
      : {}),
  };
}

function logOf(evaluations: number, random: RandomStream): string {
  const lines = Array.from({ length: evaluations }, (_, at) => {
    const iteration = (at + 1) * 30;
    const value = random.next();
    const epoch = iteration / 50;
    return [
      ...[10, 20, 30].map((step) => ({
        kind: 'train',
        iteration: at * 30 + step,
        epoch: (at * 30 + step) / 50,
        learningRate: 1e-4,
        loss: random.next(),
      })),
      {
        kind: 'evaluation',
        iteration,
        epoch,
        learningRate: 1e-4,
        loss: random.next(),
        metric: 'recall',
        value,
        metrics: { recall: { value }, kappa: { value: value - 0.1 } },
        best: at === 0,
        schedule: 'continue',
      },
    ];
  });
  return lines
    .flat()
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

function analysesOf(run: PlannedRun, taps: number, random: RandomStream): AnalysisDocument[] {
  const names = Array.from({ length: taps }, (_, at) => `layer${at + 1}`);
  const head = {
    format: 1 as const,
    run: {
      runId: run.id,
      model: run.model,
      init: run.init,
      seed: run.seed,
      data: run.data,
      checkpoints: ['best' as const],
    },
    precision: 'fp32' as const,
    versions: { carryover: '0.1.0' },
    warnings: [],
  };
  return [
    {
      ...head,
      measure: 'knn',
      settings: { neighbours: 200, used: 200, weights: 'exponential', temperature: 0.1 },
      bank: 700,
      queries: 200,
      taps: names.map((tap, at) => ({
        tap,
        embedding: 'spatial' as const,
        features: 64,
        ...(at === 0 ? { reason: 'says the same of every image' } : { knn: scoresOf(random) }),
      })),
    },
    {
      ...head,
      measure: 'l2',
      from: { run: run.id, checkpoint: 'initial' },
      to: { run: run.id, checkpoint: 'best' },
      taps: names.map((tap) => ({
        tap,
        weights: 1000,
        norm: 1,
        distance: random.next(),
        initialNorm: 1,
      })),
    },
  ];
}
