/**
 * A study whose processes are killed at random moments, beside the same study undisturbed: for the test of
 * the suite, and for scripts/kill-study.ts, which kills more often.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, readRunRecord } from '../../src/results/index.ts';
import type { PlannedRun } from '../../src/study/index.ts';
import { RandomStream, startable } from '../../src/util/index.ts';
import { bitsOf } from '../train/fixture.ts';
import { makePictures } from './pictures.ts';

export interface KillingOptions {
  /** An empty folder. */
  place: string;
  kills: number;
  seeds: number;
  /** Of the random moments. */
  seed: number;
  say?: (line: string) => void;
}

export interface KillingReport {
  kills: { runner: number; run: number };
  /** Runners that were started, the undisturbed one not counted. */
  starts: number;
  /** Of every run: whether log, networks and splits have the bits of the undisturbed study. */
  identical: Map<string, boolean>;
  /** Runs whose record was written again after they were finished. */
  repeated: string[];
  /** The last runner's exit code and errors. */
  code: number | null;
  stderr: string;
}

/** Longest wait before a kill, in milliseconds: from the start of Node to the end of some runs. */
const LONGEST_WAIT = 2500;

async function writeStudy({ place, seeds }: KillingOptions): Promise<string> {
  await makePictures(join(place, 'source'), { each: 16, side: 36, seed: 1 });
  await makePictures(join(place, 'skin'), { each: 16, side: 36, seed: 2 });
  const file = join(place, 'study.yaml');
  const lines = [
    'source: { name: source, data: folder:source }',
    'data: { skin: folder:skin }',
    'models: [resnet18_micro]',
    'inits: [ri, wt]',
    `repeats: ${seeds}`,
    'training: { size: 32, batchSize: 8, maxEpochs: 12, warmupIterations: 4, schedule: constant,',
    '  precision: fp32, device: cpu, workers: 0, checkpointSeconds: 0.1, logEvery: 2 }',
    'parallel: 2',
    'threads: 1',
  ];
  await writeFile(file, lines.join('\n'));
  return file;
}

interface Runner {
  process: ChildProcess;
  ended: Promise<number | null>;
  stderr: () => string;
}

function startRunner(file: string, out: string, place: string): Runner {
  const { path, execArgv } = startable('../../src/cli/main', import.meta.url);
  const child = spawn(process.execPath, [...execArgv, path, 'study', 'run', file, '--out', out], {
    env: { ...process.env, CARRYOVER_CACHE: join(place, 'cache') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((done) => {
    child.once('close', (code) => done(code));
  });
  return { process: child, ended, stderr: () => stderr };
}

function planOf(out: string): PlannedRun[] {
  const path = join(out, 'plan.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).runs : [];
}

/** Processes that train a run of the study now. */
async function trainingPids(out: string): Promise<number[]> {
  const pids: number[] = [];
  for (const { id } of planOf(out)) {
    const record = await readRunRecord(join(out, id));
    if (record?.owner && isAlive(record)) pids.push(record.owner.pid);
  }
  return pids;
}

export async function killStudy(options: KillingOptions): Promise<KillingReport> {
  const { place, kills, seed, say = () => {} } = options;
  const file = await writeStudy(options);
  const whole = join(place, 'whole');
  const undisturbed = startRunner(file, whole, place);
  if ((await undisturbed.ended) !== 0) throw new Error(undisturbed.stderr());
  say('undisturbed: done');

  const out = join(place, 'killed');
  const random = new RandomStream('killing a study', seed);
  const count = { runner: 0, run: 0 };
  const finished = new Map<string, string>();
  const repeated = new Set<string>();
  const look = (): void => {
    for (const { id } of planOf(out)) {
      const path = join(out, id, 'run.json');
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      const before = finished.get(id);
      if (before !== undefined && before !== text) repeated.add(id);
      if (text.includes('"status": "finished"')) finished.set(id, text);
    }
  };
  let starts = 0;
  let code: number | null = null;
  let stderr = '';
  while (starts < 20 * (kills + 1)) {
    const runner = startRunner(file, out, place);
    starts++;
    let over = false;
    const ended = runner.ended.then((status) => {
      over = true;
      return status;
    });
    while (!over && count.runner + count.run < kills) {
      await Promise.race([delay(random.uniform(0, LONGEST_WAIT)), ended]);
      look();
      if (over) break;
      const wantsRun = random.uniform(0, 1) < 0.6;
      let pids: number[] = [];
      while (wantsRun && !over && pids.length === 0) {
        await delay(random.uniform(0, 300));
        pids = await trainingPids(out);
      }
      if (over) break;
      const victim = pids[Math.floor(random.uniform(0, pids.length))];
      if (victim === undefined) {
        runner.process.kill('SIGKILL');
        count.runner++;
        break;
      }
      try {
        process.kill(victim, 'SIGKILL');
        count.run++;
      } catch {
        // It ended in the moment between.
      }
    }
    code = await ended;
    stderr = runner.stderr();
    look();
    say(
      `runner ${starts} ended with ${code ?? 'a kill'}: ${finished.size} runs finished, ${count.runner + count.run} kills`,
    );
    if (code === 0) break;
  }
  const plan = planOf(whole);
  return {
    kills: count,
    starts,
    identical: new Map(
      plan.map(({ id }) => [
        id,
        JSON.stringify(bitsOf(join(out, id))) === JSON.stringify(bitsOf(join(whole, id))),
      ]),
    ),
    repeated: [...repeated],
    code,
    stderr,
  };
}
