/** Several runner processes on one study, and runners that are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PlannedRun, readStates } from '../../src/study/index.ts';
import { RandomStream } from '../../src/util/index.ts';
import { fakeRun, journal, lives, temporaryFolder } from './fakeRuns.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface RunnerProcess {
  process: ChildProcess;
  ended: Promise<{ code: number | null; outcomes: Map<string, string>; stderr: string }>;
}

async function startRunner(runs: PlannedRun[]): Promise<RunnerProcess> {
  const plan = join(folder, 'plan-of-test.json');
  await writeFile(plan, JSON.stringify({ folder, runs }));
  const script = fileURLToPath(new URL('runner.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, plan]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Awaited<RunnerProcess['ended']>>((resolve) => {
    child.on('close', (code) => {
      const pairs: [string, string][] = stdout === '' ? [] : JSON.parse(stdout);
      resolve({ code, outcomes: new Map(pairs), stderr });
    });
  });
  return { process: child, ended };
}

/** Checks that a run was trained by one process at a time, step after step, and finished once. */
async function expectTrainedOnce(id: string, steps: number): Promise<void> {
  const events = await journal(folder, id);
  expect(events.filter(({ event }) => event === 'finish')).toHaveLength(1);
  expect(events.at(-1)?.event).toBe('finish');
  let owner: number | undefined;
  let iteration = 0;
  for (const line of events) {
    if (line.event === 'start') owner = line.pid;
    expect(line.pid, `${id}: ${JSON.stringify(line)}`).toBe(owner);
    if (line.event === 'step') {
      // A process killed between its journal and its record does that one step again.
      expect([iteration, iteration + 1]).toContain(line.iteration);
      iteration = line.iteration;
    }
  }
  expect(iteration).toBe(steps);
}

describe('several runners', () => {
  it.each([2, 4])('%i at once never train the same run', async (count) => {
    const runs = Array.from({ length: 8 }, (_, seed) =>
      fakeRun(`run${seed}`, { steps: 8, stepMs: 10 }, { seed }),
    );
    const runners = await Promise.all(Array.from({ length: count }, () => startRunner(runs)));
    for (const { code, outcomes, stderr } of await Promise.all(runners.map((r) => r.ended))) {
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect([...outcomes.values()]).toEqual(runs.map(() => 'done'));
    }
    for (const { id } of runs) await expectTrainedOnce(id, 8);
  });
});

describe('a killed runner', () => {
  it('takes its children along, and the next one goes on where they stopped', async () => {
    const stream = new RandomStream('killed runner', 1);
    const runs = Array.from({ length: 5 }, (_, seed) =>
      fakeRun(`run${seed}`, { steps: 60, stepMs: 20 }, { seed }),
    );
    for (let round = 0; round < 3; round++) {
      const runner = await startRunner(runs);
      await delay(300 + stream.uniform(0, 1500));
      runner.process.kill('SIGKILL');
      await runner.ended;
    }
    const last = await startRunner(runs);
    const { code, outcomes, stderr } = await last.ended;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect([...outcomes.values()]).toEqual(runs.map(() => 'done'));
    for (const { id } of runs) await expectTrainedOnce(id, 60);
    expect((await readStates(folder, runs)).map(({ status }) => status)).toEqual(
      runs.map(() => 'done'),
    );
  });

  it('leaves no process behind', async () => {
    const runs = [fakeRun('long', { steps: 100_000, stepMs: 10 })];
    const runner = await startRunner(runs);
    let pid: number | undefined;
    while (pid === undefined) {
      await delay(20);
      pid = (await journal(folder, 'long'))[0]?.pid;
    }
    runner.process.kill('SIGKILL');
    await runner.ended;
    for (let waited = 0; lives(pid) && waited < 5000; waited += 50) await delay(50);
    expect(lives(pid)).toBe(false);
    expect((await journal(folder, 'long')).at(-1)?.event).toBe('stop');
  });
});
