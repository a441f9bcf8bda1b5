import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execute, type RunOutcome, readStates } from '../../src/study/index.ts';
import { fakeExecutor, fakeRun, journal, temporaryFolder } from './fakeRuns.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const kinds = (outcomes: RunOutcome[]) =>
  Object.fromEntries(outcomes.map(({ run, kind }) => [run.id, kind]));
const run = (options: Omit<Parameters<typeof execute>[0], 'folder' | 'executor'>) =>
  execute({ folder, executor: fakeExecutor(folder), pollMilliseconds: 50, ...options });

describe('execute', () => {
  it('runs everything once, and nothing a second time', async () => {
    const runs = ['a', 'b', 'c'].map((id, seed) => fakeRun(id, {}, { seed }));
    const first = await run({ runs }).finished;
    expect(kinds(first)).toEqual({ a: 'done', b: 'done', c: 'done' });
    const started: string[] = [];
    const again = await run({ runs, onStart: (each) => started.push(each.id) }).finished;
    expect(kinds(again)).toEqual({ a: 'done', b: 'done', c: 'done' });
    expect(started).toEqual([]);
    for (const { id } of runs) {
      const events = (await journal(folder, id)).map(({ event }) => event);
      expect(events.filter((event) => event !== 'step')).toEqual(['start', 'finish']);
    }
  });

  it('keeps to the number at once', async () => {
    const runs = Array.from({ length: 6 }, (_, seed) => fakeRun(`run${seed}`, {}, { seed }));
    let going = 0;
    let most = 0;
    await run({
      runs,
      onStart: () => {
        going += 1;
        most = Math.max(most, going);
      },
      onOutcome: () => {
        going -= 1;
      },
    }).finished;
    expect(most).toBe(2);
  });

  it('starts a target after its source, and blocks it when the source failed', async () => {
    const order: string[] = [];
    const runs = [
      fakeRun('good', {}, { role: 'source', parallel: 1 }),
      fakeRun('bad', { fail: 'error' }, { role: 'source', parallel: 1 }),
      fakeRun('after-good', {}, { source: 'good' }),
      fakeRun('after-bad', {}, { source: 'bad' }),
    ];
    const outcomes = await run({
      runs,
      onStart: (each) => order.push(each.id),
    }).finished;
    expect(kinds(outcomes)).toEqual({
      good: 'done',
      bad: 'failed',
      'after-good': 'done',
      'after-bad': 'blocked',
    });
    expect(order.indexOf('after-good')).toBeGreaterThan(order.indexOf('good'));
    expect(order).not.toContain('after-bad');
  });

  it('keeps the error of a failed run, goes on with the others, and tries it again', async () => {
    const runs = [
      fakeRun('once', { fail: 'once' }),
      fakeRun('crash', { fail: 'crash' }),
      fakeRun('fine'),
    ];
    const first = await run({ runs }).finished;
    expect(kinds(first)).toEqual({ once: 'failed', crash: 'failed', fine: 'done' });
    const states = await readStates(folder, runs);
    expect(states.map(({ status }) => status)).toEqual(['failed', 'failed', 'done']);
    expect(states[0]?.reason).toBe('step 2: expected a number, got NaN');
    expect(states[1]?.reason).toMatch(/^its process was ended by SIGKILL/);
    const second = await run({ runs }).finished;
    expect(kinds(second)).toEqual({ once: 'done', crash: 'done', fine: 'done' });
    const after = await readStates(folder, runs);
    expect(after.map(({ status, reason }) => ({ status, reason }))).toEqual(
      runs.map(() => ({ status: 'done', reason: undefined })),
    );
  });

  it('accepts a failure that another runner saw meanwhile, instead of repeating it', async () => {
    const runs = [fakeRun('bad', { fail: 'error' }), fakeRun('slow', { steps: 60, stepMs: 20 })];
    const both = [run({ runs }), run({ runs })];
    for (const { finished } of both) {
      expect(kinds(await finished)).toEqual({ bad: 'failed', slow: 'done' });
    }
    const starts = (await journal(folder, 'bad')).filter(({ event }) => event === 'start');
    expect(starts).toHaveLength(1);
  });

  it('passes a stop on to the children, which end at a step boundary and go on later', async () => {
    const runs = ['a', 'b', 'c'].map((id) => fakeRun(id, { steps: 40, stepMs: 10 }));
    const controller = new AbortController();
    const execution = run({ runs, signal: controller.signal });
    for (;;) {
      await delay(20);
      const begun = await Promise.all(['a', 'b'].map((id) => journal(folder, id)));
      if (begun.every((lines) => lines.some(({ event }) => event === 'step'))) break;
    }
    controller.abort();
    expect(kinds(await execution.finished)).toEqual({ a: 'stopped', b: 'stopped' });
    const states = await readStates(folder, runs);
    expect(states.map(({ status }) => status)).toEqual(['interrupted', 'interrupted', 'waiting']);
    const again = await run({ runs }).finished;
    expect(kinds(again)).toEqual({ a: 'done', b: 'done', c: 'done' });
    const steps = (await journal(folder, 'a')).filter(({ event }) => event === 'step');
    expect(steps.map(({ iteration }) => iteration)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
  });
});
