/** `carryover data cache`, once its code is needed. */
import { type CacheEntry, defaultCacheFolder, listCache, pruneCache } from '../../data/index.ts';
import type { Output } from '../output.ts';

const DAY = 24 * 60 * 60 * 1000;

/** Lists the cache, or removes what was not used for `prune` days and lists that. */
export async function cache(prune: number | undefined, output: Output): Promise<void> {
  const folder = defaultCacheFolder();
  const oldest = Date.now() - (prune ?? 0) * DAY;
  const entries =
    prune === undefined
      ? await listCache()
      : await pruneCache(({ lastUsed }) => prune > 0 && lastUsed.getTime() > oldest);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (entries.length > 0) {
    output.table({
      columns: ['data set', 'images', 'px', 'MB', 'last used'],
      rows: entries.map((entry) => [
        entry.about ? `${entry.about.name} (${entry.about.root})` : 'no longer of use',
        entry.about?.images,
        entry.about?.resize,
        Math.ceil(entry.bytes / 1e6),
        entry.lastUsed.toISOString().slice(0, 16).replace('T', ' '),
      ]),
    });
  }
  const verb = prune === undefined ? 'in' : 'removed from';
  output.line(`${(bytes / 1e9).toFixed(2)} GB of resized images ${verb} ${folder}`);
  output.document({ folder, removed: prune !== undefined, bytes, entries: entries.map(asJson) });
}

function asJson({ key, about, bytes, lastUsed }: CacheEntry): Record<string, unknown> {
  return { key, ...about, bytes, lastUsed: lastUsed.toISOString() };
}
