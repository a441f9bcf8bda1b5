/** Locks that keep two runners of one study from starting the same run. */
import { mkdir } from 'node:fs/promises';
import lockfile from 'proper-lockfile';
import { errorCode, explainWriteFailure } from '../util/index.ts';
import { studyPaths } from './run.ts';

/**
 * A runner renews its locks every third of this time; a lock that was not renewed for so long is a dead
 * runner's. The run itself is protected beyond that: the process that trains it owns its folder.
 */
export const LOCK_STALE_MILLISECONDS = 10_000;

export interface RunLock {
  release(): Promise<void>;
}

/** The lock of a run, or `undefined` where another runner has it. */
export async function lockRun(folder: string, id: string): Promise<RunLock | undefined> {
  const paths = studyPaths(folder);
  try {
    await mkdir(paths.run(id), { recursive: true });
    const release = await lockfile.lock(paths.run(id), {
      lockfilePath: paths.lock(id),
      stale: LOCK_STALE_MILLISECONDS,
      // A lock lost while this process was suspended: the owner in run.json still guards the run.
      onCompromised: () => {},
    });
    return { release: () => release().catch(() => {}) };
  } catch (error) {
    if (errorCode(error) === 'ELOCKED') return undefined;
    throw explainWriteFailure(paths.lock(id), error);
  }
}

/** Whether some runner holds the lock of a run. */
export async function isLocked(folder: string, id: string): Promise<boolean> {
  const paths = studyPaths(folder);
  try {
    return await lockfile.check(paths.run(id), {
      lockfilePath: paths.lock(id),
      stale: LOCK_STALE_MILLISECONDS,
    });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
