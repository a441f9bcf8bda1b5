/** A run that another process took over while the machine of this one was suspended. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HEARTBEAT_LIMIT_SECONDS, runPaths } from '../../src/results/index.ts';
import { type TrainEvent, trainRun } from '../../src/train/index.ts';
import { shortRun, Workplace, writeClasses } from './fixture.ts';

describe('a process that wakes', () => {
  const place = new Workplace();
  const data = { kind: 'folder', path: place.path('pictures') };
  beforeAll(() => writeClasses(place.path('pictures'), ['one', 'two'], 14));
  afterAll(() => place.remove());
  afterEach(() => {
    vi.useRealTimers();
  });

  const sleep = (seconds: number): void => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  };

  it.each([
    [
      'before an evaluation',
      (event: TrainEvent) => event.kind === 'log' && event.line.iteration === 2,
    ],
    ['after a step', (event: TrainEvent) => event.kind === 'step' && event.iteration === 3],
    [
      'before the test',
      (event: TrainEvent) => event.kind === 'phase' && event.text.includes('test split'),
    ],
  ])('%s writes nothing more of a run that another has', async (name, isMoment) => {
    const folder = place.path(name.replaceAll(' ', '-'));
    const { record, log } = runPaths(folder);
    let left: string[] | undefined;
    const onEvent = (event: TrainEvent): void => {
      if (left || !isMoment(event)) return;
      const text = readFileSync(record, 'utf8');
      const taken = { ...JSON.parse(text), owner: { pid: 7, host: 'another-machine' } };
      writeFileSync(record, JSON.stringify(taken));
      left = [record, log].map((path) => readFileSync(path, 'utf8'));
      sleep(HEARTBEAT_LIMIT_SECONDS + 60);
    };
    await expect(trainRun(shortRun(data), folder, { onEvent })).rejects.toThrow(
      /process 7 on another-machine, which took it over while this one was suspended/,
    );
    expect([record, log].map((path) => readFileSync(path, 'utf8'))).toEqual(left);
  });

  it('goes on where nobody took its run', async () => {
    let slept = false;
    const { status } = await trainRun(shortRun(data), place.path('slept'), {
      onEvent: ({ kind }) => {
        if (kind === 'step' && !slept) sleep(3600);
        slept ||= kind === 'step';
      },
    });
    expect(status).toBe('finished');
  });
});
