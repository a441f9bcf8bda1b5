/** One process builds a cache file while the others wait for it. */
import { setTimeout } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { errorCode } from '../../util/index.ts';

/** A holder that has not touched its lock for this long is taken for dead. */
export const staleMilliseconds = 10_000;
const pollMilliseconds = 250;

/**
 * Runs `work` while holding the lock at `path`, waiting for another holder first. A process that was
 * killed while holding it is waited for no longer than {@link staleMilliseconds}.
 */
export async function withBuildLock(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const release = await acquire(path, signal);
  try {
    await work();
  } finally {
    // A lock that was lost meanwhile cannot be released, and need not be.
    await release().catch(() => undefined);
  }
}

async function acquire(
  path: string,
  signal: AbortSignal | undefined,
): Promise<() => Promise<void>> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await lock(path, {
        realpath: false,
        lockfilePath: path,
        stale: staleMilliseconds,
        update: staleMilliseconds / 5,
        // Losing the lock costs a second build of the same bytes, no more: each build is renamed
        // into place whole.
        onCompromised: () => undefined,
      });
    } catch (error) {
      const held = errorCode(error) === 'ELOCKED';
      if (!held) throw error;
      await setTimeout(pollMilliseconds);
    }
  }
}
