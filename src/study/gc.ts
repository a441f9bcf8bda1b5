/**
 * What a study's folder holds that no study needs: folders of runs that left the plan, states to resume
 * finished runs from, runs put aside as damaged, temporary files and locks of processes that are gone.
 * Nothing of a run that some process has in hand is ever listed, and networks of runs in the plan never.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isAlive, readRunRecord, runPaths } from '../results/index.ts';
import { explainWriteFailure, mapBounded } from '../util/index.ts';
import { folderBytes } from './disk.ts';
import { isLocked, LOCK_STALE_MILLISECONDS } from './locks.ts';
import type { Plan } from './plan.ts';
import { studyPaths } from './run.ts';

export type GarbageKind = 'run' | 'resume' | 'damaged' | 'temporary' | 'lock';

export interface Garbage {
  kind: GarbageKind;
  /** Absolute path of a file or folder inside the study's folder. */
  path: string;
  bytes: number;
  /** Why no study needs it. */
  why: string;
}

export interface Kept {
  path: string;
  /** Why it is left although it looks like garbage. */
  why: string;
}

export interface GarbageReport {
  garbage: Garbage[];
  kept: Kept[];
}

/** Temporary files that were written to more recently may still be in use. */
const TEMPORARY_AGE_MILLISECONDS = 10 * 60_000;

/** Names that files have until they are whole: of networks, and of text. */
const temporaryName =
  /^\..+\.[0-9a-f]{12}\.tmp$|\.(json|jsonl|csv|yaml|md|tex|html|svg|png|parquet)\.\d+(\.tmp)?$/;

const RUNS_AT_ONCE = 32;

/** Looks, and deletes nothing. @param now milliseconds since 1970 */
export async function findGarbage(plan: Plan, now = Date.now()): Promise<GarbageReport> {
  const { folder } = plan;
  const planned = new Set(plan.runs.map(({ id }) => id));
  const names = await readdir(folder);
  const needed = await weightsInUse(plan);
  const garbage: Garbage[] = [];
  const kept: Kept[] = [];
  const runs = await mapBounded(
    names.filter((name) => /^[0-9a-f]{16}$/.test(name)),
    RUNS_AT_ONCE,
    (id) => lookAtRun(folder, id, { planned: planned.has(id), needed, now }),
  );
  for (const found of runs) {
    garbage.push(...found.garbage);
    kept.push(...found.kept);
  }
  for (const name of await readdir(join(folder, 'damaged')).catch(() => [])) {
    const path = join(folder, 'damaged', name);
    const why = 'was damaged and put aside; the run was done again';
    garbage.push({ kind: 'damaged', path, bytes: await sizeOf(path), why });
  }
  for (const place of [folder, join(folder, 'splits'), join(folder, 'figures')]) {
    garbage.push(...(await temporaryFiles(place, now)));
  }
  return { garbage, kept };
}

/**
 * Deletes what {@link findGarbage} listed, each after another look at whether a process has its run in
 * hand by now.
 * @returns what was deleted
 * @throws WorkError for a folder that cannot be written.
 */
export async function deleteGarbage(
  plan: Plan,
  garbage: readonly Garbage[],
  onDeleted: (item: Garbage) => void = () => {},
): Promise<Garbage[]> {
  const deleted: Garbage[] = [];
  for (const item of garbage) {
    const [id = ''] = relative(plan.folder, item.path).split(sep);
    if (/^[0-9a-f]{16}$/.test(id) && (await inHand(plan.folder, id)) !== undefined) continue;
    try {
      await rm(item.path, { recursive: true, force: true });
    } catch (error) {
      throw explainWriteFailure(item.path, error);
    }
    deleted.push(item);
    onDeleted(item);
  }
  return deleted;
}

async function lookAtRun(
  folder: string,
  id: string,
  { planned, needed, now }: { planned: boolean; needed: ReadonlyMap<string, string>; now: number },
): Promise<GarbageReport> {
  const path = studyPaths(folder).run(id);
  const files = await readdir(path).catch(() => undefined);
  if (!files) return { garbage: [], kept: [] };
  const holder = await inHand(folder, id);
  if (holder !== undefined) {
    return { garbage: [], kept: planned ? [] : [{ path, why: `not in the plan, but ${holder}` }] };
  }
  if (!planned) {
    // Only what this program made is a run: never a folder that merely has such a name.
    const isRun = ['run.json', 'config.json'].some((name) => files.includes(name));
    if (!isRun) return { garbage: [], kept: [{ path, why: 'is no run of this program' }] };
    const user = needed.get(path);
    if (user !== undefined) return { garbage: [], kept: [{ path, why: user }] };
    const why = 'not in the plan of the last study run';
    return { garbage: [{ kind: 'run', path, bytes: await sizeOf(path), why }], kept: [] };
  }
  const paths = runPaths(path);
  const garbage: Garbage[] = [];
  const record = await readRunRecord(path).catch(() => undefined);
  if (record?.status === 'finished' && files.includes('resume')) {
    garbage.push({
      kind: 'resume',
      path: paths.resumeFolder,
      bytes: await sizeOf(paths.resumeFolder),
      why: 'the run is finished',
    });
  }
  for (const place of [path, join(path, 'analysis'), paths.resumeFolder]) {
    if (garbage.some((item) => item.path === place)) continue;
    garbage.push(...(await temporaryFiles(place, now)));
  }
  for (const name of files.filter((file) => file.endsWith('.lock'))) {
    const lock = join(path, name);
    const found = await stat(lock).catch(() => undefined);
    if (!found || now - found.mtimeMs < 2 * LOCK_STALE_MILLISECONDS) continue;
    garbage.push({
      kind: 'lock',
      path: lock,
      bytes: await sizeOf(lock),
      why: 'its process is gone',
    });
  }
  return { garbage, kept: [] };
}

/** Who has a run in hand, in words; `undefined` where nobody does. */
async function inHand(folder: string, id: string): Promise<string | undefined> {
  if (await isLocked(folder, id)) return 'a runner holds its lock';
  const record = await readRunRecord(studyPaths(folder).run(id)).catch(() => undefined);
  return record && isAlive(record)
    ? `process ${record.owner?.pid} on ${record.owner?.host} trains it`
    : undefined;
}

async function temporaryFiles(folder: string, now: number): Promise<Garbage[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => temporaryName.test(name))
      .map(async (name): Promise<Garbage[]> => {
        const path = join(folder, name);
        const file = await stat(path).catch(() => undefined);
        if (!file?.isFile() || now - file.mtimeMs < TEMPORARY_AGE_MILLISECONDS) return [];
        return [{ kind: 'temporary', path, bytes: file.size, why: 'left by a process that ended' }];
      }),
  );
  return found.flat();
}

/**
 * Run folders whose networks other runs start from by their path, of this study and of those in the
 * folders beside it, with which study that is.
 */
async function weightsInUse(plan: Plan): Promise<Map<string, string>> {
  const used = new Map<string, string>();
  const note = (text: string, study: string): void => {
    for (const path of weightsOf(text)) {
      used.set(dirname(resolve(path)), `runs of ${study} start from its network`);
    }
  };
  const beside = dirname(plan.folder);
  const folders = (await readdir(beside).catch(() => [])).map((name) => join(beside, name));
  for (const folder of new Set([plan.folder, ...folders])) {
    const text = await readFile(studyPaths(folder).plan, 'utf8').catch(() => undefined);
    if (text !== undefined) note(text, folder);
  }
  return used;
}

/** The checkpoints that a plan names; none for a file that is no plan. */
function weightsOf(text: string): string[] {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch {
    return [];
  }
  const at = (value: unknown, key: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  const runs = at(plan, 'runs');
  const paths = (Array.isArray(runs) ? runs : []).map((run) => at(at(run, 'config'), 'weights'));
  return [...new Set(paths.filter((path) => typeof path === 'string'))];
}

/** Bytes of a file, or of all files in a folder. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 0;
  return found.isDirectory() ? folderBytes(path) : found.size;
}
