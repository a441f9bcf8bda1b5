/** The command as a process: killed at any moment it goes on to the same bits, and one at a time trains. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type RunConfig,
  readRunRecord,
  runPaths,
  runRecordSchema,
} from '../../src/results/index.ts';
import { trainRun } from '../../src/train/index.ts';
import { RandomStream, startable } from '../../src/util/index.ts';
import { bitsOf, shortRun, Workplace, writeClasses } from './fixture.ts';

interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

describe('carryover train, killed', { timeout: 600_000 }, () => {
  const place = new Workplace();
  const data = { kind: 'folder', path: place.path('pictures') };
  const children = new Set<ChildProcess>();
  const config = (checkpointSeconds: number): RunConfig =>
    shortRun(data, { training: { checkpointSeconds, maxEpochs: 12 } });
  const whole = place.path('whole');
  beforeAll(async () => {
    await writeClasses(place.path('pictures'), ['one', 'two', 'three'], 14);
    await trainRun(config(60), whole);
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  afterAll(() => place.remove());

  function start(
    folder: string,
    training: RunConfig,
    extra: string[] = [],
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const file = place.path('config.json');
    writeFileSync(file, JSON.stringify(training));
    const { path, execArgv } = startable('../../src/cli/main', import.meta.url);
    const command = [...execArgv, path, 'train', '--config', file, '--out', folder, ...extra];
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((done) => {
      child.on('close', (code, signal) => {
        children.delete(child);
        done({ code, signal, stdout, stderr });
      });
    });
    return { child, ended };
  }

  /** Waits until the process has trained on, or has ended. */
  async function untilTrained(child: ChildProcess, folder: string, from: number): Promise<void> {
    const { log } = runPaths(folder);
    const trained = (): boolean => existsSync(log) && readFileSync(log).length > from;
    while (child.exitCode === null && child.signalCode === null && !trained()) await pause(10);
  }

  it('at random moments, some steps after a state, ends with the same bits', async () => {
    const folder = place.path('killed');
    const random = new RandomStream('kills');
    let kills = 0;
    let sessions = 0;
    for (;;) {
      const { log } = runPaths(folder);
      const from = existsSync(log) ? readFileSync(log).length : 0;
      const { child, ended } = start(folder, config(0.15));
      await untilTrained(child, folder, kills === 0 ? 0 : Math.min(from, 2000));
      await pause(random.uniform(0, 250));
      if (kills < 3) child.kill('SIGKILL');
      const { code, signal, stderr } = await ended;
      // A kill may come before the process has begun its session.
      const counted = (await readRunRecord(folder))?.sessions ?? 0;
      expect([sessions, sessions + 1]).toContain(counted);
      if (signal !== 'SIGKILL') expect(counted).toBe(sessions + 1);
      sessions = counted;
      if (signal === 'SIGKILL') {
        kills++;
        continue;
      }
      expect(stderr).not.toContain('error:');
      expect(code).toBe(0);
      break;
    }
    expect(kills).toBeGreaterThan(0);
    expect(sessions).toBeGreaterThan(1);
    expect(bitsOf(folder)).toEqual(bitsOf(whole));
  });

  it('refuses to train what another process trains', async () => {
    const folder = place.path('shared');
    const long = shortRun(data, { training: { maxEpochs: 10_000, schedule: 'constant' } });
    const first = start(folder, long);
    await untilTrained(first.child, folder, 0);
    const second = await start(folder, long).ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(
        `error: .*expected a run that no other process trains, got process ${first.child.pid} `,
      ),
    );
    first.child.kill('SIGKILL');
    await first.ended;
  });

  it('stops at a step when asked to, says how to go on, and goes on', async () => {
    const folder = place.path('asked');
    const { child, ended } = start(folder, config(60));
    await untilTrained(child, folder, 0);
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/stopped at iteration \d+ of 48; the same command goes on from there/);
    expect(await readRunRecord(folder)).toMatchObject({ status: 'stopped' });
    const again = await start(folder, config(60), ['--json']).ended;
    expect(again.code).toBe(0);
    expect(runRecordSchema.parse(JSON.parse(again.stdout))).toMatchObject({ status: 'finished' });
    expect(again.stderr).toMatch(/going on at iteration \d+/);
    expect(bitsOf(folder)).toEqual(bitsOf(whole));
    const third = await start(folder, config(60)).ended;
    expect(third.code).toBe(0);
    expect(third.stderr).toContain('this run is finished; nothing to do');
  });
});
