/** What a plan says of time and disk: the arithmetic, and against a real run. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runConfigSchema } from '../../src/results/index.ts';
import {
  estimateBytes,
  estimateIterations,
  estimateStudy,
  type PlannedRun,
  type RunState,
} from '../../src/study/index.ts';
import { fakeRun } from './fakeRuns.ts';
import { makePictures } from './pictures.ts';
import { runProgram } from './program.ts';

const config = (training: Record<string, unknown>, init = 'wt'): PlannedRun =>
  fakeRun(
    'a',
    {},
    {
      init,
      config: runConfigSchema.parse({ data: { kind: 'fake' }, model: 'resnet18', init, training }),
    },
  );

describe('iterations of a run', () => {
  it('end at maxEpochs at the latest, and typically at the plateau of the lowest rate', () => {
    // 640 images are 10 batches; three stalls (1e-4, 1e-5, 1e-6) of 4 evaluations, two an epoch, are
    // 60 iterations; as many before them, and the warm-up.
    const training = { maxEpochs: 50, warmupIterations: 100 };
    expect(estimateIterations(config(training), 640)).toEqual({
      typical: 220,
      most: 500,
      perEpoch: 10,
    });
    // 3e-4, 3e-5, 3e-6, 1e-6.
    expect(estimateIterations(config(training, 'ri'), 640).typical).toBe(260);
    expect(estimateIterations(config({ ...training, maxEpochs: 5 }), 640).typical).toBe(50);
    expect(estimateIterations(config({ maxIterations: 7 }), 640).most).toBe(7);
    const constant = estimateIterations(config({ ...training, schedule: 'constant' }), 640);
    expect(constant.typical).toBe(constant.most);
  });

  it('are at least one an epoch where the batch is larger than the split', () => {
    expect(estimateIterations(config({ maxEpochs: 3 }), 10)).toMatchObject({
      most: 3,
      perEpoch: 1,
    });
  });
});

describe('an estimate', () => {
  const speed = {
    stepSeconds: 0.5,
    evaluationSeconds: 0.01,
    readSeconds: 0,
    startSeconds: 3,
    parameters: 1000,
    measuredBatch: 64,
  };
  const facts = {
    speedOf: () => speed,
    parametersOf: () => undefined,
    dataOf: () => ({
      identity: 'a',
      splits: 'a',
      samples: 800,
      counts: { train: 640, val: 80, test: 80 },
    }),
  };
  const run = (id: string, more: Partial<PlannedRun> = {}): PlannedRun => ({
    ...config({ maxEpochs: 2, schedule: 'constant' }),
    id,
    ...more,
  });
  const waiting = (one: PlannedRun): RunState => ({ run: one, status: 'waiting' });
  const finished = (one: PlannedRun, wallSeconds: number): RunState =>
    ({ run: one, status: 'done', record: { result: { wallSeconds } } }) as RunState;

  it('is the sum of steps, evaluations and the start, shared out among runs at once', () => {
    const estimate = estimateStudy([waiting(run('a')), waiting(run('b'))], facts);
    // 20 steps, 4 evaluations of 80 images, the test split, the start.
    const one = 20 * 0.5 + (4 * 80 + 80) * 0.01 + 3;
    expect(estimate.runs[0]?.seconds?.most).toBeCloseTo(one, 9);
    expect(estimate.runSeconds?.typical).toBeCloseTo(2 * one, 9);
    expect(estimate.seconds?.typical).toBeCloseTo(one, 9);
    expect(estimate.bytes).toBe(2 * estimateBytes(1000));
    expect(estimate.cacheBytes).toBe(800 * 256 * 256 * 3);
  });

  it('prefers finished runs like those to do, of the same setting first', () => {
    const states = [
      finished(run('a', { init: 'wt' }), 10),
      finished(run('b', { init: 'ri' }), 40),
      waiting(run('c', { init: 'wt' })),
      waiting(run('d', { init: 'st' })),
      waiting(run('e', { model: 'other' })),
    ];
    const { runs } = estimateStudy(states, facts);
    expect(runs.map(({ seconds, from }) => [seconds?.typical, from])).toEqual([
      [10, 'finished runs'],
      [25, 'finished runs'],
      [17, 'probe'],
    ]);
  });

  it('says so where a speed is not known', () => {
    const estimate = estimateStudy([waiting(run('a'))], { ...facts, speedOf: () => undefined });
    expect(estimate).toMatchObject({ seconds: undefined, bytes: undefined, unknown: 1 });
  });
});

describe('the estimate of a plan', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carryover-estimate-'));
    process.env.CARRYOVER_CACHE = join(folder, 'cache');
  });
  afterAll(async () => {
    delete process.env.CARRYOVER_CACHE;
    await rm(folder, { recursive: true, force: true });
  });

  // Another program may take the cores during the probe or the run: then both are measured again.
  it('is within a factor of two of a real run, in time and on disk', {
    retry: 2,
    timeout: 180_000,
  }, async () => {
    await rm(join(folder, 'cache', 'speeds'), { recursive: true, force: true });
    await makePictures(join(folder, 'skin'), { classes: 3, each: 80, seed: 1 });
    const file = join(folder, 'small.yaml');
    await writeFile(
      file,
      `data: { skin: folder:skin }
models: [resnet18_micro]
inits: [ri]
repeats: 1
training: { size: 64, resize: 72, batchSize: 16, maxEpochs: 30, schedule: constant, precision: fp32 }
`,
    );
    const out = await mkdtemp(join(folder, 'runs-'));
    const planned = await runProgram('study', 'plan', file, '--out', out, '--json');
    const { estimate } = JSON.parse(planned.stdout) as {
      estimate: { seconds: { typical: number; most: number }; bytes: number };
    };
    await runProgram('study', 'run', file, '--out', out, '--json');
    const [id = ''] = (await readdir(out)).filter((name) => /^[0-9a-f]{16}$/.test(name));
    const record = JSON.parse(await readFile(join(out, id, 'run.json'), 'utf8'));
    // From the start of its process, which is when its configuration is written, to its end.
    const { mtimeMs } = await stat(join(out, id, 'config.json'));
    const took = (Date.parse(record.finishedAt) - mtimeMs) / 1000;
    const ratio = estimate.seconds.most / took;
    const names = await readdir(join(out, id), { recursive: true });
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(out, id, name))).size),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    process.stderr.write(
      `estimated ${estimate.seconds.most.toFixed(1)} s, took ${took.toFixed(1)} s; ` +
        `estimated ${estimate.bytes} bytes, wrote ${bytes}\n`,
    );
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
    expect(estimate.bytes / bytes).toBeGreaterThan(0.5);
    expect(estimate.bytes / bytes).toBeLessThan(2);
    // The speed is kept: the second plan measures nothing.
    const begin = performance.now();
    await runProgram('study', 'plan', file, '--out', join(folder, 'other'), '--json');
    expect(await readdir(join(folder, 'cache', 'speeds'))).toHaveLength(1);
    process.stderr.write(`second plan: ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
  });
});
