/** `trainRun`: one run in one folder, begun, gone on with, or found finished (METHODS: training). */
import { existsSync, readFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import {
  METHOD_VERSION,
  methodSettings,
  type RunConfig,
  type RunRecord,
  readRunRecord,
  runPaths,
  thisProcess,
} from '../results/index.ts';
import { libtorchVersion, ownKernels } from '../tensor/index.ts';
import { CarryoverError, RequestError } from '../util/index.ts';
import { claim, OwnedRecord, refuseIfInUse } from './claim.ts';
import { isStop, type RunOutcome, type TrainOptions } from './events.ts';
import { gatherMaterial, type Material } from './material.ts';
import { refuseForeignFolder } from './outFolder.ts';
import { resolveMachine } from './resolve.ts';
import { Session } from './session.ts';

/**
 * Trains, evaluates and tests one network, and leaves run.json, log.jsonl, splits.csv,
 * initial.safetensors, best.safetensors and resume/ in `folder`. A folder that holds a part of this run
 * is gone on with, to the same bits on the same machine with the same threads; one that holds the
 * finished run is left alone.
 * @throws RequestError for a configuration that cannot be run, or a folder that holds another run;
 *   WorkError where the work fails: the record then says `failed`, and what was done stays.
 */
export async function trainRun(
  config: RunConfig,
  folder: string,
  options: TrainOptions = {},
): Promise<RunOutcome> {
  resolveMachine(config.training);
  await refuseForeignFolder(folder);
  const before = await readRunRecord(folder);
  if (before) refuseIfInUse(folder, before);
  if (before?.status === 'finished' && sameRequest(before.config, config)) {
    return { status: 'alreadyFinished', record: before };
  }
  let material: Material;
  try {
    material = await gatherMaterial(config, options);
  } catch (error) {
    if (isStop(error, options.signal)) return { status: 'stopped', record: before };
    throw error;
  }
  const { runId } = material;
  let finished: RunRecord | undefined;
  const claimed = await claim(folder, (existing) => {
    const isThisRun = existing?.runId === runId;
    if (existing && !isThisRun && hasTrained(folder, existing)) {
      throw anotherRun(folder, existing, config);
    }
    if (isThisRun && existing.status === 'finished') {
      finished = existing;
      return undefined;
    }
    return beginRecord(config, runId, isThisRun ? existing : undefined);
  });
  if (!claimed) return { status: 'alreadyFinished', record: finished as RunRecord };
  const record = new OwnedRecord(folder, claimed);
  const session = new Session(config, folder, material, record, options);
  try {
    const result = await session.run();
    await record.release({
      status: 'finished',
      result,
      error: undefined,
      finishedAt: new Date().toISOString(),
    });
    return { status: 'finished', record: record.current };
  } catch (error) {
    if (isStop(error, options.signal)) {
      await record.release({ status: 'stopped' });
      return { status: 'stopped', record: record.current };
    }
    const message = error instanceof Error ? error.message : String(error);
    const exitCode = error instanceof CarryoverError ? error.exitCode : 1;
    // On a full disk this fails too; the first error is the one to tell.
    await record.release({ status: 'failed', error: { message, exitCode } }).catch(() => {});
    throw error;
  } finally {
    await session.close();
  }
}

/** Whether two configurations ask for the same result. */
function sameRequest(a: RunConfig, b: RunConfig): boolean {
  const essence = (config: RunConfig): unknown => ({
    ...config,
    training: methodSettings(config.training),
  });
  return isDeepStrictEqual(essence(a), essence(b));
}

function beginRecord(config: RunConfig, runId: string, existing: RunRecord | undefined): RunRecord {
  const now = new Date().toISOString();
  return {
    format: 1,
    runId,
    status: 'running',
    owner: thisProcess(),
    heartbeat: now,
    startedAt: existing?.startedAt ?? now,
    sessions: (existing?.sessions ?? 0) + 1,
    progress: existing?.progress ?? { iteration: 0, maxIterations: 0 },
    config,
    versions: {
      carryover: packageVersion(),
      method: METHOD_VERSION,
      node: process.versions.node,
      libtorch: libtorchVersion(),
      kernels: ownKernels(),
      platform: `${platform()}-${arch()}`,
    },
    warnings: existing?.warnings ?? [],
    ...keptOf(existing),
  };
}

/** What an earlier session found out and this one need not. */
function keptOf(existing: RunRecord | undefined): Partial<RunRecord> {
  if (!existing) return {};
  const { resolved, data, weights, initialisation, parameters } = existing;
  return { resolved, data, weights, initialisation, parameters };
}

/** Whether a folder holds work that another run in its place would lose. */
function hasTrained(folder: string, record: RunRecord): boolean {
  return record.progress.iteration > 0 || existsSync(runPaths(folder).resume);
}

function anotherRun(folder: string, existing: RunRecord, config: RunConfig): RequestError {
  const differences = differingKeys(existing.config, config);
  return new RequestError({
    where: runPaths(folder).record,
    expected: 'this run, or none',
    got: `run ${existing.runId}, which differs in ${differences.join(', ') || 'its data'}`,
    hint: 'choose another --out',
  });
}

/** Dotted keys whose values differ. */
function differingKeys(a: object, b: object, prefix = ''): string[] {
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  const keys = new Set([...left.keys(), ...right.keys()]);
  return [...keys].flatMap((key) => {
    const [x, y] = [left.get(key), right.get(key)];
    if (isDeepStrictEqual(x, y)) return [];
    const both = isPlainObject(x) && isPlainObject(y);
    return both ? differingKeys(x, y, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The version in package.json, two folders up from sources and from the build alike. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return found ? String(parsed.version) : 'unknown';
}
