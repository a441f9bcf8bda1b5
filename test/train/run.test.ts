/** Whole runs: what they leave, that they repeat bit for bit, and that they go on after a stop. */
import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLog, readRunRecord, runPaths, writeRunRecord } from '../../src/results/index.ts';
import { liveTensors } from '../../src/tensor/index.ts';
import { type TrainEvent, trainRun } from '../../src/train/index.ts';
import { readWeights } from '../../src/weights/index.ts';
import { bitsOf, shortRun, Workplace, writeClasses, writeLabels } from './fixture.ts';

describe('a run', () => {
  const place = new Workplace();
  const data = { kind: 'folder', path: place.path('pictures') };
  const uninterrupted = place.path('uninterrupted');
  beforeAll(async () => {
    await writeClasses(place.path('pictures'), ['one', 'three', 'two'], 14);
    await trainRun(shortRun(data), uninterrupted);
  });
  afterAll(() => place.remove());

  /** Runs in `folder`, stopping whenever `stopAt` says so, until it is finished. */
  async function runWithStops(
    folder: string,
    stopAt: (event: TrainEvent) => boolean,
    config = shortRun(data),
  ): Promise<number> {
    for (let sessions = 1; sessions < 30; sessions++) {
      const controller = new AbortController();
      const { status } = await trainRun(config, folder, {
        signal: controller.signal,
        onEvent: (event) => {
          if (stopAt(event)) controller.abort(new Error('stopped by the test'));
        },
      });
      if (status === 'finished') return sessions;
      expect(status).toBe('stopped');
      expect(await readRunRecord(folder)).toMatchObject({ status: 'stopped' });
    }
    throw new Error('never finished');
  }

  it('leaves its record, log, splits and networks', async () => {
    const record = await readRunRecord(uninterrupted);
    expect(record).toMatchObject({
      status: 'finished',
      sessions: 1,
      config: { seed: 0, training: { batchSize: 8 } },
      resolved: {
        device: 'cpu',
        precision: 'fp32',
        threads: 1,
        optimizer: 'adam',
        learningRate: 3e-4,
        iterationsPerEpoch: 4,
        maxIterations: 12,
        size: 32,
        resize: 37,
      },
      data: {
        task: 'multiclass',
        metric: 'recall',
        classes: ['one', 'three', 'two'],
        counts: { train: 34, val: 4, test: 4 },
        skipped: [],
      },
      initialisation: { label: 'RI' },
      warnings: [],
      result: { ended: 'maxEpochs', iterations: 12, epochs: 3 },
    });
    expect(record?.owner).toBeUndefined();
    const { result } = record ?? {};
    expect(result?.test).toMatchObject({ samples: 4, metric: 'recall' });
    expect(result?.imagesPerSecond).toBeGreaterThan(0);
    expect(result?.peakMemoryBytes).toBeGreaterThan(1e6);
    // Steps, evaluations and saving are parts of the whole; one thread is busy, and decoding threads a little.
    const {
      trainingSeconds = 0,
      evaluationSeconds = 0,
      savingSeconds = 0,
      wallSeconds,
    } = result ?? {};
    expect(Math.min(trainingSeconds, evaluationSeconds, savingSeconds)).toBeGreaterThan(0);
    expect(trainingSeconds + evaluationSeconds + savingSeconds).toBeLessThan(wallSeconds ?? 0);
    expect(result?.deviceUtilisation).toBeGreaterThan(0.05);
    expect(result?.iterationsToBest).toBe(record?.progress.best?.iteration);
    const lines = await readLog(uninterrupted);
    const evaluations = lines.filter((line) => line.kind === 'evaluation');
    expect(evaluations.map(({ iteration }) => iteration)).toEqual([2, 4, 6, 8, 10, 12]);
    const steps = lines.filter((line) => line.kind === 'train');
    expect(steps.map(({ iteration }) => iteration)).toEqual([2, 4, 6, 8, 10, 12]);
    expect(steps[0]?.learningRate).toBeCloseTo(1.5e-4, 10);
    const best = evaluations.filter((line) => line.best).at(-1);
    expect(best?.iteration).toBe(result?.iterationsToBest);
    const { tensors, metadata } = await readWeights(runPaths(uninterrupted).best);
    expect(metadata).toMatchObject({
      model: 'resnet18_micro',
      runId: record?.runId,
      iteration: String(result?.iterationsToBest),
    });
    expect(tensors.get('fc.weight')?.shape).toEqual([3, 128]);
    expect(tensors.has('bn1.num_batches_tracked')).toBe(true);
  });

  it('does nothing where it is finished', async () => {
    const { record: path, best } = runPaths(uninterrupted);
    const before = [statSync(path).mtimeMs, statSync(best).mtimeMs];
    const events: TrainEvent[] = [];
    const outcome = await trainRun(shortRun(data), uninterrupted, {
      onEvent: (event) => events.push(event),
    });
    expect(outcome.status).toBe('alreadyFinished');
    expect(outcome.record?.result?.iterations).toBe(12);
    expect(events).toEqual([]);
    expect([statSync(path).mtimeMs, statSync(best).mtimeMs]).toEqual(before);
    const faster = shortRun(data, { training: { workers: 1, checkpointSeconds: 1 } });
    expect((await trainRun(faster, uninterrupted)).status).toBe('alreadyFinished');
  });

  it('repeats bit for bit, and frees all its tensors', async () => {
    const before = liveTensors().count;
    await trainRun(shortRun(data), place.path('again'));
    expect(bitsOf(place.path('again'))).toEqual(bitsOf(uninterrupted));
    expect(liveTensors().count).toBe(before);
    const [first, second] = [
      await readRunRecord(uninterrupted),
      await readRunRecord(place.path('again')),
    ];
    expect(second?.runId).toBe(first?.runId);
    expect(second?.result?.test).toEqual(first?.result?.test);
  });

  it('depends on the seed', async () => {
    const folder = place.path('seed');
    await trainRun(shortRun(data, { seed: 1 }), folder);
    expect(bitsOf(folder).initial).not.toBe(bitsOf(uninterrupted).initial);
    expect(bitsOf(folder).best).not.toBe(bitsOf(uninterrupted).best);
    expect(bitsOf(folder).splits).toBe(bitsOf(uninterrupted).splits);
  });

  it('stopped after every single step, ends with the same bits', async () => {
    const folder = place.path('stops');
    const sessions = await runWithStops(folder, ({ kind }) => kind === 'step');
    // Twelve steps end a session each; the thirteenth evaluates what the last step left.
    expect(sessions).toBe(13);
    expect(bitsOf(folder)).toEqual(bitsOf(uninterrupted));
    expect(await readRunRecord(folder)).toMatchObject({ sessions: 13, status: 'finished' });
  });

  it('stopped before evaluations and before the test, ends with the same bits', async () => {
    const folder = place.path('evaluation-stops');
    const seen = new Set<string>();
    const sessions = await runWithStops(folder, (event) => {
      // The losses are logged right before an evaluation, which then finds the stop asked for.
      const key =
        event.kind === 'log' && event.line.kind === 'train' ? `${event.line.iteration}` : '';
      const isTest = event.kind === 'phase' && event.text.includes('test split') ? 'test' : '';
      const what = key || isTest;
      if (what === '' || seen.has(what)) return false;
      seen.add(what);
      return true;
    });
    expect(sessions).toBe(8);
    expect(bitsOf(folder)).toEqual(bitsOf(uninterrupted));
  });

  it('refuses a folder that holds another run, and says how it differs', async () => {
    const other = shortRun(data, { training: { patience: 7 } });
    await expect(trainRun(other, uninterrupted)).rejects.toThrow(
      /run\.json: expected this run, or none, got run [0-9a-f]{16}, which differs in training\.patience/,
    );
  });

  it('goes on with other threads, and says that bits may differ', async () => {
    const folder = place.path('threads');
    const controller = new AbortController();
    await trainRun(shortRun(data), folder, {
      signal: controller.signal,
      onEvent: ({ kind }) => kind === 'step' && controller.abort(),
    });
    // As if it had begun on two threads: tests that run on two at once only wait for each other.
    const begun = await readRunRecord(folder);
    if (!begun?.resolved) throw new Error('no record');
    await writeRunRecord(folder, { ...begun, resolved: { ...begun.resolved, threads: 2 } });
    const { status, record } = await trainRun(shortRun(data), folder);
    expect(status).toBe('finished');
    expect(record?.warnings).toEqual([
      'goes on with threads 1 instead of 2: the last bits of the result may differ',
    ]);
  });

  it('trains a transformer in bf16, bit for bit alike after a stop', async () => {
    const config = shortRun(data, {
      model: 'deit_micro',
      training: { precision: 'bf16', maxIterations: 5 },
    });
    const whole = place.path('deit');
    await trainRun(config, whole);
    expect(await readRunRecord(whole)).toMatchObject({
      resolved: { optimizer: 'adamw', precision: 'bf16', maxIterations: 5 },
      result: { ended: 'maxIterations' },
    });
    const folder = place.path('deit-stops');
    await runWithStops(
      folder,
      (event) => event.kind === 'step' && event.iteration % 2 === 1,
      config,
    );
    expect(bitsOf(folder)).toEqual(bitsOf(whole));
  });

  it('transfers weights and their statistics from another run', async () => {
    const weights = runPaths(uninterrupted).best;
    const training = { maxIterations: 1 };
    const wt = await trainRun(shortRun(data, { init: 'wt', weights, training }), place.path('wt'));
    expect(wt.record?.initialisation).toMatchObject({ label: 'WT' });
    expect(wt.record?.weights?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(wt.record?.resolved?.learningRate).toBe(1e-4);
    const source = await readWeights(weights);
    const initial = await readWeights(runPaths(place.path('wt')).initial);
    const layer = 'layer1.0.conv1.weight';
    expect(initial.tensors.get(layer)?.bytes).toEqual(source.tensors.get(layer)?.bytes);
    const st = await trainRun(shortRun(data, { init: 'st', weights, training }), place.path('st'));
    expect(st.record?.initialisation).toMatchObject({ label: 'ST' });
    expect(st.record?.runId).not.toBe(wt.record?.runId);
  });
});

describe('the plateau', () => {
  const place = new Workplace();
  const data = { kind: 'folder', path: place.path('pictures') };
  beforeAll(() => writeClasses(place.path('pictures'), ['no', 'yes'], 15));
  afterAll(() => place.remove());

  it('reduces the learning rate and ends the training', async () => {
    const config = shortRun(data, {
      // So small a rate that nothing ever improves.
      training: {
        learningRate: 1e-9,
        minLearningRate: 1e-10,
        warmupIterations: 0,
        patience: 0,
        maxEpochs: 50,
      },
    });
    const { record } = await trainRun(config, place.path('run'));
    expect(record?.result?.ended).toBe('plateau');
    const lines = await readLog(place.path('run'));
    const schedule = lines.flatMap((line) => (line.kind === 'evaluation' ? [line.schedule] : []));
    expect(schedule.filter((verdict) => verdict === 'stop')).toEqual(['stop']);
    expect(schedule.at(-1)).toBe('stop');
  });

  it('judges a binary task by the AUC of one output', async () => {
    const { record } = await trainRun(
      shortRun(data, { training: { maxIterations: 4 } }),
      place.path('binary'),
    );
    expect(record?.data).toMatchObject({ task: 'binary', metric: 'auc' });
    const best = await readWeights(runPaths(place.path('binary')).best);
    expect(best.tensors.get('fc.weight')?.shape).toEqual([1, 128]);
    expect(record?.result?.test.confusion).toHaveLength(2);
  });

  it('trains on several labels at once', async () => {
    const path = await writeLabels(place.path('labels'), 30);
    const spec = { kind: 'csv', path, labelColumns: ['oedema', 'fracture'] };
    const config = shortRun(spec, { training: { maxIterations: 4 } });
    const { record } = await trainRun(config, place.path('multilabel'));
    expect(record?.data).toMatchObject({ task: 'multilabel', metric: 'auc' });
    expect(Object.keys(record?.result?.test.perClass ?? {})).toEqual(['oedema', 'fracture']);
  });
});
