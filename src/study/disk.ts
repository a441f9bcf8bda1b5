/** How much of the disk runs take, and what to say when there is no more. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkError } from '../util/index.ts';
import { type PlannedRun, studyPaths } from './run.ts';

/** Room for the records, tables and temporary files beside the runs, in bytes. */
const MARGIN = 16 * 2 ** 20;

/** With less than this left, in bytes, a run that ends early ended because of it. */
export const LEAST_FREE = 2 ** 20;

/** Bytes as people read them. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/**
 * Bytes of all files in a folder and below; 0 where there is none. What vanishes meanwhile is not counted.
 * @param leftOut the name of files that do not count
 */
export async function folderBytes(folder: string, leftOut?: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let total = 0;
  for (const entry of entries) {
    if (!entry.isFile() || entry.name === leftOut) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    total += found?.size ?? 0;
  }
  return total;
}

/** Bytes that may still be written beside `folder`. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * The error of a study that a full disk stopped: what is free, and what the rest is likely to take, by
 * the largest finished folder of the same model (of any model, where there is none).
 */
export async function fullDiskError(
  folder: string,
  { reason }: { reason: string },
  runs: readonly PlannedRun[],
  isDone: (run: PlannedRun) => boolean,
): Promise<WorkError> {
  const largest = new Map<string, number>();
  const left: PlannedRun[] = [];
  let have = 0;
  for (const run of runs) {
    if (isDone(run)) {
      const bytes = await folderBytes(studyPaths(folder).run(run.id));
      largest.set(run.model, Math.max(largest.get(run.model) ?? 0, bytes));
    } else {
      left.push(run);
      have += await folderBytes(studyPaths(folder).run(run.id));
    }
  }
  const any = Math.max(0, ...largest.values());
  const needed = left.reduce((sum, { model }) => sum + (largest.get(model) ?? any), 0);
  const free = await freeBytes(folder);
  const estimate =
    any > 0
      ? `about ${formatBytes(Math.max(0, needed - have) + MARGIN)}, by the runs that are finished`
      : 'more than that; no run is finished to tell how much';
  return new WorkError({
    where: folder,
    expected: 'room on the disk for the results',
    got: `a full disk: ${formatBytes(free)} left, and the ${left.length} runs to do need ${estimate}`,
    hint: `finished runs are kept; make room, then the same command goes on. First seen: ${reason}`,
  });
}
