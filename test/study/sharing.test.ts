/** How a machine is shared out among runs: by what was measured, by GPUs, by memory. */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  execute,
  LocalExecutor,
  measureSharing,
  type PlannedRun,
  RunMemory,
} from '../../src/study/index.ts';
import { fakeExecutor, fakeProgram, fakeRun, journal, temporaryFolder } from './fakeRuns.ts';
import { finishedRecord } from './finishedRuns.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const program = { args: [fileURLToPath(new URL('fakeProbe.mjs', import.meta.url))] };

/** Twenty runs whose step takes so many milliseconds on all threads, and with one thread. */
function runsOf(model: string, one: number, several: number): PlannedRun[] {
  return Array.from({ length: 20 }, (_, seed) => {
    const run = fakeRun(`${model}${seed}`, {}, { seed, model });
    return { ...run, config: { ...run.config, model, data: { kind: 'fake', one, several } } };
  });
}

describe('sharing out the cores', () => {
  it('is by what several single-threaded runs do against one on all threads, measured once', async () => {
    const runs = [
      // Two threads help little: 2 / 40 ms is more than 1 / 30 ms.
      ...runsOf('resnet18_micro', 30, 40),
      // They help more than twice, as where two runs have no cache left: 2 / 80 ms is less.
      ...runsOf('deit_micro', 30, 80),
      ...runsOf('swin_micro', 30, 80).slice(0, 5),
    ];
    const measured: string[] = [];
    const share = (measuring: boolean) =>
      measureSharing(runs, {
        program,
        cacheFolder: folder,
        cores: 2,
        measuring,
        onMeasure: (model) => measured.push(model),
      });
    expect((await share(false)).size).toBe(0);
    const expected = new Map([
      ['resnet18_micro', 2],
      ['deit_micro', 1],
    ]);
    expect(await share(true)).toEqual(expected);
    expect(await share(true)).toEqual(expected);
    expect(await share(false)).toEqual(expected);
    expect(measured).toEqual(['resnet18_micro', 'deit_micro']);
  });
});

describe('memory', () => {
  it('bounds the runs at once by the peaks of finished runs like them', async () => {
    const [first, second, third] = [0, 1, 2].map((seed) =>
      fakeRun(`run${seed}`, { steps: 1000, stepMs: 5 }, { seed, parallel: 3 }),
    ) as [PlannedRun, PlannedRun, PlannedRun];
    const memory = new RunMemory([]);
    const executor = new LocalExecutor({
      folder,
      program: fakeProgram,
      memory: 100,
      memoryOf: (run) => memory.of(run),
    });
    const { ended } = await executor.start(first);
    // Nothing is known yet.
    expect(executor.hasRoom(second)).toBe(true);
    const record = finishedRecord(third, {});
    const learn = (peakMemoryBytes: number): void => {
      if (record.result)
        memory.learn(third, { ...record, result: { ...record.result, peakMemoryBytes } });
    };
    learn(50);
    expect(executor.hasRoom(second)).toBe(true);
    learn(51);
    expect(executor.hasRoom(second)).toBe(false);
    executor.kill();
    await ended;
  });

  it('never holds up a run that is alone', () => {
    const run = fakeRun('big');
    const executor = new LocalExecutor({
      folder,
      program: fakeProgram,
      memory: 1,
      memoryOf: () => 2,
    });
    expect(executor.hasRoom(run)).toBe(true);
  });
});

describe('GPUs', () => {
  it('get a run each, the freest one first', async () => {
    const four = Array.from({ length: 4 }, (_, seed) =>
      fakeRun(`gpu${seed}`, { steps: 20, stepMs: 10 }, { seed, parallel: 2 }),
    );
    const executor = fakeExecutor(folder, { gpus: ['0', 'GPU-3f'] });
    await execute({ folder, runs: four, executor }).finished;
    const seen: string[] = [];
    for (const { id } of four) seen.push((await journal(folder, id))[0]?.gpu ?? 'none');
    expect(seen.slice(0, 2).sort()).toEqual(['0', 'GPU-3f']);
    expect(new Set(seen)).toEqual(new Set(['0', 'GPU-3f']));
  });
});
