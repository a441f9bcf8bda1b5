/** One process a run: claims, refusals, and taking over from a process that is gone. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type RunRecord,
  readRunRecord,
  runConfigSchema,
  runPaths,
  thisProcess,
} from '../../src/results/index.ts';
import { claim, OwnedRecord } from '../../src/train/claim.ts';

const config = runConfigSchema.parse({
  data: { kind: 'folder', path: '/d' },
  model: 'resnet18_micro',
  init: 'ri',
});

function record(change: Partial<RunRecord> = {}): RunRecord {
  const now = new Date().toISOString();
  return {
    format: 1,
    runId: 'abc',
    status: 'running',
    owner: thisProcess(),
    heartbeat: now,
    startedAt: now,
    sessions: 1,
    progress: { iteration: 0, maxIterations: 10 },
    config,
    versions: {},
    warnings: [],
    ...change,
  };
}

describe('a claim', () => {
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'carryover-claim-')), 'run');
  });
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  it('makes the folder and its record', async () => {
    const claimed = await claim(folder, (existing) => {
      expect(existing).toBeUndefined();
      return record();
    });
    expect(await readRunRecord(folder)).toEqual(claimed);
  });

  it('is refused while the owner lives', async () => {
    await claim(folder, () => record());
    await expect(claim(folder, () => record())).rejects.toThrow(
      `expected a run that no other process trains, got process ${process.pid}`,
    );
  });

  it('is given to one of two that come at once', async () => {
    const outcomes = await Promise.allSettled([
      claim(folder, () => record()),
      claim(folder, () => record()),
      claim(folder, () => record()),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
  });

  it('is taken over from a process that was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await new Promise((ready) => child.once('spawn', ready));
    const owner = { ...thisProcess(), pid: child.pid ?? 0, processStart: undefined };
    await claim(folder, () => record({ owner }));
    await expect(claim(folder, () => record())).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await new Promise((ended) => child.once('exit', ended));
    const taken = await claim(folder, (existing) => record({ sessions: existing?.sessions ?? 0 }));
    expect(taken?.owner?.pid).toBe(process.pid);
  });

  it('is taken over from another machine that has been silent for long', async () => {
    const owner = { pid: 1, host: 'another-machine.invalid' };
    await claim(folder, () => record({ owner }));
    await expect(claim(folder, () => record())).rejects.toThrow('another-machine.invalid');
    const heartbeat = new Date(Date.now() - 3600_000).toISOString();
    writeFileSync(runPaths(folder).record, JSON.stringify(record({ owner, heartbeat })));
    await expect(claim(folder, () => record())).resolves.toBeDefined();
  });

  it('is given up with the last word', async () => {
    const claimed = await claim(folder, () => record());
    const owned = new OwnedRecord(folder, claimed as RunRecord, 0.05);
    owned.note({ progress: { iteration: 3, maxIterations: 10 } });
    expect((await readRunRecord(folder))?.progress.iteration).toBe(0);
    await pause(300);
    const alive = await readRunRecord(folder);
    expect(alive?.progress.iteration).toBe(3);
    expect(Date.parse(alive?.heartbeat ?? '')).toBeGreaterThan(
      Date.parse(claimed?.heartbeat ?? ''),
    );
    await owned.release({ status: 'stopped' });
    const after = await readRunRecord(folder);
    expect(after).toMatchObject({ status: 'stopped', progress: { iteration: 3 } });
    expect(after?.owner).toBeUndefined();
    await expect(claim(folder, () => record())).resolves.toBeDefined();
  });

  it('is refused where run.json is no record', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(runPaths(folder).record, '{"format": 7}');
    await expect(claim(folder, () => record())).rejects.toThrow(/run\.json: expected a run record/);
    writeFileSync(runPaths(folder).record, '<html>');
    await expect(claim(folder, () => record())).rejects.toThrow(/run\.json: expected JSON/);
  });
});
