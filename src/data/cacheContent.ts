/** What the cache holds, and taking things out of it. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCacheFolder } from './cacheFolder.ts';
import { staleMilliseconds } from './images/buildLock.ts';
import { readImageTable, type TableAbout } from './images/imageTable.ts';

/** The resized images of one data set at one size. */
export interface CacheEntry {
  key: string;
  /** Absent where the table is damaged or of another version: of no use any more. */
  about?: TableAbout;
  bytes: number;
  lastUsed: Date;
}

/** The entries, from the one that was used last on. */
export async function listCache(cacheFolder = defaultCacheFolder()): Promise<CacheEntry[]> {
  const folder = join(cacheFolder, 'images');
  const files = await readdir(folder).catch(() => []);
  const entries = new Map<string, CacheEntry>();
  for (const file of files) {
    const key = /^([0-9a-f]{40})\.(json|rgb)/.exec(file)?.[1];
    if (key === undefined) continue;
    const found = await stat(join(folder, file)).catch(() => undefined);
    if (!found) continue;
    const entry = entries.get(key) ?? { key, bytes: 0, lastUsed: new Date(0) };
    entry.bytes += found.size;
    if (found.mtime > entry.lastUsed) entry.lastUsed = found.mtime;
    if (file === `${key}.json`) {
      const table = await readImageTable(join(folder, file), key);
      if (table) entry.about = table.about;
    }
    entries.set(key, entry);
  }
  return [...entries.values()].sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
}

/**
 * Removes entries. A run that reads one meanwhile is not disturbed; one that is being made is left.
 * @returns those that were removed.
 */
export async function pruneCache(
  isWanted: (entry: CacheEntry) => boolean,
  cacheFolder = defaultCacheFolder(),
): Promise<CacheEntry[]> {
  const folder = join(cacheFolder, 'images');
  const removed: CacheEntry[] = [];
  for (const entry of await listCache(cacheFolder)) {
    if (isWanted(entry) || (await isLocked(join(folder, `${entry.key}.lock`)))) continue;
    for (const file of await readdir(folder)) {
      if (file.startsWith(entry.key))
        await rm(join(folder, file), { recursive: true, force: true });
    }
    removed.push(entry);
  }
  return removed;
}

async function isLocked(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs < staleMilliseconds;
}
