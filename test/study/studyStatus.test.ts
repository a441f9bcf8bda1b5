import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Screen } from '../../src/cli/screen.ts';
import {
  type Plan,
  type RunState,
  readStates,
  StateReader,
  studyStatus,
} from '../../src/study/index.ts';
import { runCaught } from '../cli/caught.ts';
import { writeSyntheticStudy } from './syntheticStudy.ts';

const folderOf = () => mkdtemp(join(tmpdir(), 'carryover-status-'));
const statuses = ['done', 'done', 'running', 'failed', 'interrupted', 'waiting'] as const;

async function mixed(): Promise<{ folder: string; plan: Plan; states: RunState[]; now: number }> {
  const folder = await folderOf();
  const now = Date.now();
  const plan = writeSyntheticStudy(folder, {
    models: ['resnet18'],
    inits: ['ri', 'st', 'wt'],
    data: ['isic2019'],
    seeds: 2,
    statusOf: (index) => statuses[index] ?? 'done',
    now,
  });
  return { folder, plan, states: await readStates(folder, plan.runs), now };
}

function edit(path: string, change: (record: Record<string, unknown>) => void): void {
  const record: Record<string, unknown> = JSON.parse(readFileSync(path, 'utf8'));
  change(record);
  writeFileSync(path, JSON.stringify(record));
}

describe('the status of a study', () => {
  it('says what is running where, how fast, and what failed and why', async () => {
    const { folder, states, now } = await mixed();
    const status = await studyStatus(folder, states, now);
    expect(status.counts).toEqual({
      done: 2,
      running: 1,
      failed: 1,
      interrupted: 1,
      waiting: 1,
      blocked: 0,
    });
    expect(status.ended).toBe(false);
    const [running] = status.running;
    expect(running).toMatchObject({ iteration: 300, maxIterations: 1000, heartbeatAge: 5 });
    expect(running?.host).toMatch(/^not-/);
    // 300 steps of 64 images, from an hour ago to five seconds ago.
    expect(running?.imagesPerSecond).toBeCloseTo((300 * 64) / 3595, 9);
    expect(status.imagesPerSecond).toBe(running?.imagesPerSecond);
    expect(status.runsPerHour).toBeCloseTo(2, 9);
    expect(status.failed[0]).toMatchObject({
      reason: 'step 3: expected a number, got NaN',
      lines: ['training', 'error: step 3: expected a number, got NaN'],
    });
  });

  it('takes how far a run is from its log where that is newer than its record', async () => {
    const { folder, plan, now } = await mixed();
    const log = join(folder, plan.runs[2]?.id ?? '', 'log.jsonl');
    appendFileSync(log, '{"kind":"train","iteration":321,"epoch":1}\n{"kind":"train","iter');
    const status = await studyStatus(folder, await readStates(folder, plan.runs), now);
    expect(status.running[0]?.iteration).toBe(321);
  });

  it('takes the pace that a running run tells of itself', async () => {
    const { folder, plan, now } = await mixed();
    edit(join(folder, plan.runs[2]?.id ?? '', 'run.json'), (record) => {
      record.progress = { iteration: 300, maxIterations: 1000, imagesPerSecond: 7.5 };
    });
    const status = await studyStatus(folder, await readStates(folder, plan.runs), now);
    expect(status.imagesPerSecond).toBe(7.5);
  });

  it('takes a silent run on another machine for interrupted', async () => {
    const { folder, plan, now } = await mixed();
    edit(join(folder, plan.runs[2]?.id ?? '', 'run.json'), (record) => {
      record.heartbeat = new Date(now - 3600_000).toISOString();
    });
    const status = await studyStatus(folder, await readStates(folder, plan.runs), now);
    expect(status.counts).toMatchObject({ running: 0, interrupted: 2 });
    expect(status.runsPerHour).toBeUndefined();
  });

  it('counts runs whose source failed as blocked, and has ended when nothing else is left', async () => {
    const { folder, plan } = await mixed();
    const runs = plan.runs.map((run, index) =>
      index === 5 ? { ...run, source: plan.runs[3]?.id ?? '' } : run,
    );
    const some = runs.filter((_, index) => [0, 1, 3, 5].includes(index));
    const status = await studyStatus(folder, await readStates(folder, some));
    expect(status.counts).toMatchObject({ done: 2, failed: 1, blocked: 1, waiting: 0 });
    expect(status.ended).toBe(true);
  });
});

describe('looking again and again', () => {
  it('gives what a fresh look gives, also after changes', async () => {
    const { folder, plan } = await mixed();
    const reader = new StateReader(folder);
    for (const change of [
      () => {},
      () => rmSync(join(folder, plan.runs[0]?.id ?? ''), { recursive: true }),
      () => writeFileSync(join(folder, plan.runs[1]?.id ?? '', 'run.json'), '{'),
      () => {},
    ]) {
      change();
      expect(await reader.read(plan.runs)).toEqual(await readStates(folder, plan.runs));
    }
    expect((await reader.read(plan.runs))[0]?.status).toBe('waiting');
  });
});

describe('carryover study status', () => {
  it('prints one document, with where every run is', async () => {
    const { folder } = await mixed();
    const { code, stdout } = await runCaught('study', 'status', folder, '--json');
    const document = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(document.counts.done).toBe(2);
    expect(document.runs[2]).toMatchObject({ status: 'running', maxIterations: 1000 });
    expect(document.runs[3].lastLines).toHaveLength(2);
  });

  it('ends watching once nothing is running or to be done', async () => {
    const folder = await folderOf();
    writeSyntheticStudy(folder, { seeds: 1 });
    const { code, stdout } = await runCaught('study', 'status', folder, '--watch');
    expect(code).toBe(0);
    expect(stdout).toMatch(/synthetic: 16 runs: 16 done\n$/);
  });
});

describe('a block that redraws itself', () => {
  it('goes back over what it drew, and cuts to the size of the terminal', () => {
    const written: string[] = [];
    const screen = new Screen({ write: (text) => written.push(text), columns: 6, rows: 4 });
    screen.draw(['abcdefgh', 'b']);
    screen.draw(['1', '2', '3', '4']);
    expect(written[0]).toBe('abcde\x1b[K\nb\x1b[K\n\x1b[J');
    expect(written[1]).toBe('\x1b[2A1\x1b[K\n2\x1b[K\n… 2 m\x1b[K\n\x1b[J');
  });
});
