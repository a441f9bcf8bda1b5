import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/results/index.ts';
import {
  countStates,
  estimateSeconds,
  type RunState,
  type RunStatus,
} from '../../src/study/index.ts';
import { fakeRun } from './fakeRuns.ts';
import { finishedRecord } from './finishedRuns.ts';

const now = Date.parse('2024-01-01T00:10:00Z');

function record(startedAt: string, wallSeconds?: number): RunRecord {
  const evaluation = {
    metric: 'recall' as const,
    primary: { value: 0.5 },
    loss: 1,
    samples: 1,
    metrics: {},
    perClass: {},
  };
  return {
    format: 1,
    runId: 'a',
    status: wallSeconds === undefined ? 'running' : 'finished',
    heartbeat: startedAt,
    startedAt,
    sessions: 1,
    progress: { iteration: 1, maxIterations: 2 },
    config: fakeRun('a').config,
    versions: {},
    warnings: [],
    ...(wallSeconds === undefined
      ? {}
      : {
          result: {
            ended: 'plateau' as const,
            iterations: 2,
            epochs: 1,
            iterationsToBest: 1,
            validation: evaluation,
            test: evaluation,
            imagesPerSecond: 1,
            trainingSeconds: 1,
            wallSeconds,
            peakMemoryBytes: 1,
          },
        }),
  };
}

function state(
  id: string,
  status: RunStatus,
  more: Partial<RunState['run']> = {},
  seen?: RunRecord,
): RunState {
  return { run: fakeRun(id, {}, more), status, record: seen };
}

describe('status', () => {
  it('counts runs by what has become of them', () => {
    const states = [state('a', 'done'), state('b', 'failed'), state('c', 'failed')];
    expect(countStates(states)).toEqual({
      done: 1,
      running: 0,
      failed: 2,
      interrupted: 0,
      waiting: 0,
    });
  });

  it('knows no time to go before a run like those to do has finished', () => {
    expect(estimateSeconds([state('a', 'waiting')], now)).toBeUndefined();
    const other = { model: 'deit_micro' };
    const done = state('a', 'done', other, record('2024-01-01T00:00:00Z', 100));
    expect(estimateSeconds([done, state('b', 'waiting')], now)).toBeUndefined();
    expect(estimateSeconds([done], now)).toBe(0);
  });

  it('takes the time of finished runs of the same setting, shared by the runs at once', () => {
    const states = [
      state('a', 'done', { init: 'wt' }, record('2024-01-01T00:00:00Z', 100)),
      state('b', 'done', { init: 'wt' }, record('2024-01-01T00:00:00Z', 140)),
      state('c', 'done', { init: 'ri' }, record('2024-01-01T00:00:00Z', 300)),
      // 120 / 2 of the same setting, begun 20 seconds ago: 100 / 2.
      state('d', 'waiting', { init: 'wt' }),
      state('e', 'running', { init: 'wt' }, record('2024-01-01T00:09:40Z')),
      // No finished run of this setting: the mean of the model's, 180 / 2.
      state('f', 'failed', { init: 'st' }),
    ];
    expect(estimateSeconds(states, now)).toBe(60 + 50 + 90);
  });

  it('counts the steps of a run that was gone on with, not the time in which it stood still', () => {
    const begun = record('2024-01-01T00:00:00Z');
    const { resolved } = finishedRecord(fakeRun('c'), {});
    const progress = { iteration: 25, maxIterations: 100, imagesPerSecond: 10 };
    const states = [
      state('a', 'done', {}, record('2024-01-01T00:00:00Z', 100)),
      // 25 batches of 8 at 10 images a second are 20 of its 100 seconds; two runs at once.
      state('b', 'running', {}, { ...begun, sessions: 2, progress, resolved }),
    ];
    expect(estimateSeconds(states, now)).toBe(80 / 2);
  });
});
