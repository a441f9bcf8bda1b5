/** Studies on a real Slurm, of one node: see scripts/slurm. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunRecord, readRunRecord } from '../../src/results/index.ts';
import type { PlannedRun } from '../../src/study/index.ts';
import { startable } from '../../src/util/index.ts';
import { temporaryFolder } from './fakeRuns.ts';
import { makePictures } from './pictures.ts';
import { Cluster, whyNoCluster } from './slurmCluster.ts';

const reason = whyNoCluster();
if (reason !== undefined) process.stderr.write(`skipped: studies on Slurm: ${reason}\n`);

interface Command {
  process: ChildProcess;
  ended: Promise<number | null>;
  stdout: string;
  stderr: string;
}

describe.skipIf(reason !== undefined)('a study on Slurm', { timeout: 600_000 }, () => {
  let cluster: Cluster;
  let place: string;
  const commands = new Set<ChildProcess>();
  beforeAll(async () => {
    place = await temporaryFolder();
    cluster = await Cluster.start();
    for (const [seed, name] of ['source', 'a', 'b', 'c', 'd'].entries()) {
      await makePictures(join(place, name), { each: 14, side: 36, seed });
    }
  });
  afterEach(() => {
    for (const child of commands) child.kill('SIGKILL');
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(place, { recursive: true, force: true });
  });

  function carryover(...args: string[]): Command {
    const { path, execArgv } = startable('../../src/cli/main', import.meta.url);
    const child = spawn(process.execPath, [...execArgv, path, ...args], {
      env: { ...cluster.env, CARRYOVER_CACHE: join(place, 'cache') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    commands.add(child);
    const command: Command = {
      process: child,
      stdout: '',
      stderr: '',
      ended: new Promise((done) => {
        child.once('close', (code) => {
          commands.delete(child);
          done(code);
        });
      }),
    };
    child.stdout.on('data', (text) => {
      command.stdout += text;
    });
    child.stderr.on('data', (text) => {
      command.stderr += text;
    });
    return command;
  }

  async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    for (const begin = Date.now(); !(await holds()); ) {
      if (Date.now() - begin > 120_000) throw new Error(`waited in vain for ${what}`);
      await delay(50);
    }
  }

  async function writeStudy(name: string, lines: string[]): Promise<{ file: string; out: string }> {
    const file = join(place, `${name}.yaml`);
    const head = [
      `name: ${name}`,
      'models: [resnet18_micro]',
      'seeds: [0]',
      'training: { size: 32, batchSize: 8, maxEpochs: 3, warmupIterations: 4, precision: fp32,',
      '  device: cpu, workers: 0, checkpointSeconds: 0.5 }',
      'executor: { kind: slurm, partition: main, cpus: 1, memory: 2G, time: 30, limit: 4, poll: 0.5,',
      '  extra: ["--comment=a study"] }',
    ];
    await writeFile(file, [...head, ...lines].join('\n'));
    return { file, out: join(place, `out-${name}`) };
  }

  async function planOf(out: string): Promise<PlannedRun[]> {
    await until('the plan', () => existsSync(join(out, 'plan.json')));
    return JSON.parse(await readFile(join(out, 'plan.json'), 'utf8')).runs;
  }

  const recordOf = (out: string, run: PlannedRun): Promise<RunRecord | undefined> =>
    readRunRecord(join(out, run.id));

  /** Waits until a run has trained for a while. @returns its record */
  async function untilTraining(out: string, run: PlannedRun): Promise<RunRecord> {
    let record: RunRecord | undefined;
    await until(`${run.data} ${run.init} to train`, async () => {
      record = await recordOf(out, run);
      return record?.status === 'running' && existsSync(join(out, run.id, 'resume'));
    });
    return record as RunRecord;
  }

  it('of 13 runs: one killed, one requeued, one out of time, one failing for good', async () => {
    const { file, out } = await writeStudy('jobs', [
      'source: { name: source, data: folder:source }',
      'data: { a: folder:a, b: folder:b, c: folder:c, d: folder:d }',
      'inits: [ri, st, wt]',
      'overrides:',
      '  - { data: [a, b, d], init: ri, training: { maxEpochs: 200, schedule: constant } }',
      '  - { data: c, init: st, training: { learningRate: 1.0e+30 } }',
    ]);
    const study = carryover('study', 'run', file, '--out', out);
    const plan = await planOf(out);
    expect(plan).toHaveLength(13);
    const long = plan.filter(
      ({ init, role, data }) => role === 'target' && init === 'ri' && data !== 'c',
    );
    expect(long).toHaveLength(3);
    // Each is met in the middle of its training, whichever begins first.
    await Promise.all(
      long.map(async (run) => {
        const { owner } = await untilTraining(out, run);
        expect(owner?.job).toMatch(/^\d+_\d+$/);
        const job = owner?.job ?? '';
        if (run.data === 'a') process.kill(owner?.pid ?? 0, 'SIGKILL');
        else if (run.data === 'b') await cluster.call('scontrol', 'requeue', job);
        // What Slurm does by itself before the time is up.
        else await cluster.call('scancel', '--batch', '--signal=USR1', job);
      }),
    );
    expect(await study.ended).toBe(1);
    expect(study.stderr).toMatch(/submitted \d+ runs as Slurm job \d+/);
    expect(study.stderr).toMatch(
      /of a resnet18_micro ri seed 0 ended early \(failed\).*submitted again/,
    );
    expect(study.stderr).toMatch(
      /failed {3}c resnet18_micro st seed 0: training, iteration \d+: expected a finite loss/,
    );
    expect(study.stderr).toMatch(/error: study jobs: expected 13 finished runs, got 12/);
    for (const run of plan) {
      const record = await recordOf(out, run);
      const failing = run.data === 'c' && run.init === 'st' && run.role === 'target';
      expect(record?.status, run.id).toBe(failing ? 'failed' : 'finished');
      expect(record?.sessions, `${run.data} ${run.init}`).toBe(long.includes(run) ? 2 : 1);
      const steps = (await readFile(join(out, run.id, 'log.jsonl'), 'utf8')).split('\n').length;
      if (long.includes(run)) expect(steps).toBeGreaterThan(100);
    }
    const script = await readFile(join(out, 'slurm', '1', 'job.sh'), 'utf8');
    expect(script).toContain('#SBATCH --partition=main');
    expect(script).toContain('#SBATCH --comment="a study"');
    expect(script).toMatch(/#SBATCH --array=0-\d+%4/);
  });

  it('goes on through a controller that is away and a runner that is stopped, until it is cancelled', async () => {
    const { file, out } = await writeStudy('away', [
      'data: { a: folder:a }',
      'inits: [ri]',
      'overrides: [{ init: ri, training: { maxEpochs: 100000, schedule: constant } }]',
    ]);
    const study = carryover('study', 'run', file, '--out', out);
    const [run] = (await planOf(out)) as [PlannedRun];
    const { owner } = await untilTraining(out, run);
    const asked = carryover('study', 'status', out, '--json');
    expect(await asked.ended).toBe(0);
    expect(JSON.parse(asked.stdout).queue).toEqual({ running: 1, pending: 0, reasons: {} });
    expect(asked.stderr).toContain('Slurm: 1 running, 0 pending');
    await cluster.stopController();
    await until('the note', () => study.stderr.includes('Slurm does not answer'));
    await cluster.startController();
    await until('the other note', () => study.stderr.includes('Slurm answers again'));

    study.process.kill('SIGINT');
    expect(await study.ended).toBe(1);
    expect(study.stderr).toContain("1 jobs stay in Slurm's queue");
    expect((await recordOf(out, run))?.status).toBe('running');

    const again = carryover('study', 'run', file, '--out', out);
    await until('the job to be found', () => again.stderr.includes('1 jobs of this study are in'));
    const other = carryover('study', 'run', file, '--out', out);
    expect(await other.ended).toBe(1);
    expect(other.stderr).toContain('expected to be the only one that submits jobs of this study');
    expect(again.process.exitCode).toBe(null);

    const cancel = carryover('study', 'cancel', out, '--json');
    expect(await cancel.ended).toBe(0);
    expect(await again.ended).toBe(1);
    const told = JSON.parse(cancel.stdout);
    expect(told.stopped.map(({ pid }: { pid: number }) => pid)).toEqual([again.process.pid]);
    expect(told.jobs).toEqual([owner?.job]);
    await until('the job to end', async () => (await recordOf(out, run))?.status === 'stopped');
    expect((await recordOf(out, run))?.sessions).toBe(1);
    await until('an empty queue', async () => (await cluster.call('squeue', '-h')) === '');
  });

  it('says what Slurm says of a job that it does not take', async () => {
    const { file, out } = await writeStudy('refused', ['data: { a: folder:a }', 'inits: [ri]']);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('partition: main', 'partition: nowhere'));
    const study = carryover('study', 'run', file, '--out', out);
    expect(await study.ended).toBe(2);
    expect(study.stderr).toMatch(
      /error: sbatch: expected a job that Slurm takes, got .*invalid partition/i,
    );
  });
});
