/** Folders of runs that cannot be what this program left there: finding them, and putting them aside. */
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunRecord, runPaths } from '../results/index.ts';
import { errorCode, explainWriteFailure } from '../util/index.ts';
import { type PlannedRun, studyPaths } from './run.ts';

/** Longer headers are no header of a network. */
const LARGEST_HEADER = 100_000_000;

/** What is wrong with the files of a finished run; `undefined` where nothing is. */
export async function damageOf(
  folder: string,
  run: PlannedRun,
  record: RunRecord,
): Promise<string | undefined> {
  const { model, init, seed } = record.config;
  if (model !== run.config.model || init !== run.config.init || seed !== run.config.seed) {
    return `run.json is of another run (${model} ${init} seed ${seed})`;
  }
  if (record.status !== 'finished') return undefined;
  if (!record.result) return 'run.json says finished and has no result';
  const fault = await safetensorsFault(runPaths(studyPaths(folder).run(run.id)).best);
  return fault && `best.safetensors ${fault}`;
}

/** Compares the length of a file with what its header says; reads no more than the header. */
async function safetensorsFault(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    return code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
  }
  try {
    const { size } = await file.stat();
    const prefix = Buffer.alloc(8);
    const { bytesRead } = await file.read(prefix, 0, 8, 0);
    const length = bytesRead === 8 ? Number(prefix.readBigUInt64LE()) : 0;
    if (length === 0 || length > Math.min(size - 8, LARGEST_HEADER)) return 'is cut off or garbage';
    const header = Buffer.alloc(length);
    await file.read(header, 0, length, 8);
    const end = dataLength(header.toString('utf8'));
    if (end === undefined) return 'has a header that cannot be read';
    return size === 8 + length + end
      ? undefined
      : `has ${size} bytes instead of ${8 + length + end}`;
  } finally {
    await file.close();
  }
}

/** The bytes of data that a header speaks of. */
function dataLength(text: string): number | undefined {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof header !== 'object' || header === null) return undefined;
  let most = 0;
  for (const entry of Object.values<unknown>({ ...header })) {
    if (typeof entry !== 'object' || entry === null || !('data_offsets' in entry)) continue;
    const [, end] = Array.isArray(entry.data_offsets) ? entry.data_offsets : [];
    most = Math.max(most, Number(end));
  }
  return Number.isFinite(most) ? most : undefined;
}

/**
 * Moves what is in a run's folder into `damaged/` of the study, so that the run begins anew and nothing
 * is deleted. Locks stay.
 * @returns the place
 */
export async function setAside(folder: string, id: string): Promise<string> {
  const from = studyPaths(folder).run(id);
  const base = join(folder, 'damaged');
  try {
    await mkdir(base, { recursive: true });
    const earlier = (await readdir(base)).filter((name) => name.startsWith(`${id}-`));
    const numbers = earlier.map((name) => Number(name.slice(id.length + 1)) || 0);
    const to = join(base, `${id}-${Math.max(0, ...numbers) + 1}`);
    await mkdir(to);
    for (const name of await readdir(from)) {
      if (!name.endsWith('.lock')) await rename(join(from, name), join(to, name));
    }
    return to;
  } catch (error) {
    throw explainWriteFailure(base, error);
  }
}

/** Runs that the tables list as finished and of which there is nothing any more. */
export async function deletedRuns(
  folder: string,
  states: readonly { run: PlannedRun; status: string; record?: RunRecord; damage?: string }[],
): Promise<PlannedRun[]> {
  const results = await readFile(studyPaths(folder).results, 'utf8').catch(() => '');
  if (results === '') return [];
  const listed = new Set(results.split(/[\n,]/));
  return states
    .filter(({ status, record, damage }) => status === 'waiting' && !record && damage === undefined)
    .map(({ run }) => run)
    .filter(({ id }) => listed.has(id));
}
