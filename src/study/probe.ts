/**
 * The speed of a study's runs on this machine, measured once: every combination of model and settings that
 * matter for it, each in a process of its own, kept in the cache folder by machine and settings.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Speed } from '../train/index.ts';
import { hashText, writeJson } from '../util/index.ts';
import { type ChildProgram, threadEnvironment } from './executors/child.ts';
import type { DataFacts } from './plan.ts';
import type { PlannedRun } from './run.ts';

const speedSchema: z.ZodType<Speed> = z.strictObject({
  stepSeconds: z.number().positive(),
  evaluationSeconds: z.number().min(0),
  readSeconds: z.number().min(0),
  startSeconds: z.number().min(0),
  parameters: z.int().min(0),
  measuredBatch: z.int().positive(),
});

const keptSchema = z.looseObject({ speed: speedSchema });

/** What a speed depends on. Two runs with the same parts go at the same speed. */
function speedParts(run: PlannedRun, counts: DataFacts['counts']) {
  const { model, training } = run.config;
  const { batchSize, size, resize, inputChannels, precision, device, threads, workers } = training;
  return {
    model,
    batch: Math.min(batchSize, counts?.train ?? batchSize),
    settings: { size, resize, inputChannels, precision, device, threads, workers },
    steps: [training.augment, training.cache, training.optimizer, training.clipNorm],
    machine: [cpus()[0]?.model.trim(), availableParallelism(), process.version, process.arch],
  };
}

export interface ProbeOptions {
  program: ChildProgram;
  cacheFolder: string;
  countsOf: (data: string) => DataFacts['counts'];
  /** Whether speeds that are not kept are measured; true by default. */
  measure?: boolean;
  signal?: AbortSignal;
  /** Before each measurement. */
  onProbe?: (run: PlannedRun, done: number, total: number) => void;
  /** A speed that could not be measured. */
  onFailure?: (run: PlannedRun, reason: string) => void;
}

/**
 * A lookup of the speeds of runs: kept ones, and those that are measured now.
 * @returns what gives the speed of any of the runs; `undefined` where measuring failed
 */
export async function probeSpeeds(
  runs: readonly PlannedRun[],
  { program, cacheFolder, countsOf, measure = true, signal, onProbe, onFailure }: ProbeOptions,
): Promise<(run: PlannedRun) => Speed | undefined> {
  const keys = new Map<string, string>();
  const keyOf = (run: PlannedRun): string => {
    const parts = JSON.stringify(speedParts(run, countsOf(run.data)));
    const key = keys.get(parts) ?? hashText(parts).slice(0, 16);
    keys.set(parts, key);
    return key;
  };
  const first = new Map<string, PlannedRun>();
  for (const run of runs) if (!first.has(keyOf(run))) first.set(keyOf(run), run);
  const speeds = new Map<string, Speed>();
  const missing: [key: string, run: PlannedRun][] = [];
  for (const [key, run] of first) {
    const kept = await readKept(pathOf(cacheFolder, key));
    if (kept) speeds.set(key, kept);
    else if (measure) missing.push([key, run]);
  }
  for (const [at, [key, run]] of missing.entries()) {
    if (signal?.aborted) break;
    onProbe?.(run, at, missing.length);
    const result = await measureOne(run, program, signal);
    if (typeof result === 'string') {
      if (!signal?.aborted) onFailure?.(run, result);
      continue;
    }
    speeds.set(key, result);
    await writeJson(pathOf(cacheFolder, key), {
      speed: result,
      of: speedParts(run, countsOf(run.data)),
      measuredAt: new Date().toISOString(),
    });
  }
  signal?.throwIfAborted();
  return (run) => speeds.get(keyOf(run));
}

const pathOf = (cacheFolder: string, key: string): string =>
  join(cacheFolder, 'speeds', `${key}.json`);

async function readKept(path: string): Promise<Speed | undefined> {
  try {
    return keptSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data?.speed;
  } catch {
    return undefined;
  }
}

/** Measures in a process of its own. @returns the speed, or why there is none. */
export async function measureOne(
  run: PlannedRun,
  program: ChildProgram,
  signal: AbortSignal | undefined,
): Promise<Speed | string> {
  const child = spawn(process.execPath, [...program.args, 'study', 'probe'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // As the run itself would have it.
    env: { ...process.env, ...threadEnvironment(run) },
  });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  signal?.addEventListener('abort', stop, { once: true });
  const exit = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, by) => resolve(by ?? `exit code ${code}`));
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(run.config));
  const [output, errors, ended] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  signal?.removeEventListener('abort', stop);
  try {
    return speedSchema.parse(JSON.parse(output));
  } catch {
    const told = errors.split('\n').findLast((line) => line.startsWith('error: '));
    return told?.slice('error: '.length) ?? ended;
  }
}
