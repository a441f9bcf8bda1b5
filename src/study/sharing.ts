/**
 * Whether a machine's cores do more with several runs of one thread each or with one run on all of them:
 * measured for each model of a study that is long enough to gain by it, and kept in the cache folder by
 * machine and settings.
 */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { hashText, writeJson } from '../util/index.ts';
import type { ChildProgram } from './executors/child.ts';
import { measureOne } from './probe.ts';
import type { PlannedRun } from './run.ts';

/** With fewer runs of a model, measuring would cost more than it could save. */
const WORTH_MEASURING = 20;

const sharingSchema = z.looseObject({
  /** Steps a second of all runs together: so many at once with a thread each, and one on all threads. */
  several: z.number().positive(),
  one: z.number().positive(),
});

export interface SharingOptions {
  program: ChildProgram;
  cacheFolder: string;
  cores: number;
  /** Whether to measure what is not kept yet. */
  measuring: boolean;
  signal?: AbortSignal;
  /** Before each measurement. */
  onMeasure?: (model: string) => void;
}

/**
 * Runs at once of every model, of those that are known.
 * @param runs that compute on the CPU
 */
export async function measureSharing(
  runs: readonly PlannedRun[],
  { program, cacheFolder, cores, measuring, signal, onMeasure }: SharingOptions,
): Promise<Map<string, number>> {
  const parallelOf = new Map<string, number>();
  const byModel = new Map<string, PlannedRun[]>();
  for (const run of runs) byModel.set(run.model, [...(byModel.get(run.model) ?? []), run]);
  for (const [model, own] of byModel) {
    const run = own.find(({ role }) => role === 'target');
    if (!run || cores < 2 || own.length < WORTH_MEASURING || signal?.aborted) continue;
    const of = partsOf(run, cores);
    const path = join(cacheFolder, 'sharing', `${hashText(JSON.stringify(of)).slice(0, 16)}.json`);
    let known = await readKept(path);
    if (!known && measuring) {
      onMeasure?.(model);
      known = await measureBoth(run, program, cores, signal);
      if (known) await writeJson(path, { ...known, of, measuredAt: new Date().toISOString() });
    }
    if (known) parallelOf.set(model, known.several >= known.one ? cores : 1);
  }
  signal?.throwIfAborted();
  return parallelOf;
}

/** Steps a second of several single-threaded runs at once, and of one run on all threads. */
export async function measureBoth(
  run: PlannedRun,
  program: ChildProgram,
  cores: number,
  signal?: AbortSignal,
): Promise<{ several: number; one: number } | undefined> {
  const single = await measureOne(withThreads(run, cores, 1), program, signal);
  const together = await Promise.all(
    Array.from({ length: cores }, () => measureOne(withThreads(run, 1, cores), program, signal)),
  );
  const rates = [single, ...together].flatMap((speed) =>
    typeof speed === 'string' ? [] : [1 / speed.stepSeconds],
  );
  const [one, ...several] = rates;
  // What cannot be measured fails as a run too, and says why there.
  if (one === undefined || rates.length <= cores) return undefined;
  return { several: several.reduce((sum, rate) => sum + rate, 0), one };
}

function withThreads(run: PlannedRun, threads: number, parallel: number): PlannedRun {
  const training = { ...run.config.training, threads };
  return { ...run, parallel, config: { ...run.config, training } };
}

/** Raised when kept rates mean something else than before. */
const RATE_VERSION = 2;

/** What the answer depends on. */
function partsOf({ config: { model, training } }: PlannedRun, cores: number): unknown[] {
  const { batchSize, size, inputChannels, precision } = training;
  const machine = [cores, cpus()[0]?.model, process.arch];
  return [RATE_VERSION, model, batchSize, size, inputChannels, precision, ...machine];
}

async function readKept(path: string): Promise<{ several: number; one: number } | undefined> {
  try {
    return sharingSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
