/**
 * Content hashes of the rows of an array of pictures. They are remembered with the file's size and
 * times, all of an array together, so that a file of a quarter of a million pictures is read once.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { hashText, writeFileWhole } from '../util/index.ts';
import { defaultCacheFolder } from './cacheFolder.ts';
import { openRows, type RowReader } from './formats/rowReader.ts';
import type { OpenOptions } from './kind.ts';

const indexSchema = z.strictObject({
  format: z.literal(1),
  /** File, array, size, modification and change time in nanoseconds. */
  of: z.array(z.string()),
  hashes: z.array(z.string()),
});

/** Bytes that are read at once. */
const blockBytes = 8 << 20;

/** See `fingerprintFiles`: a file that has just changed may change again unseen. */
const unsettledMilliseconds = 2000;

/**
 * The SHA-256 of every row of an array: of its shape, type and bytes.
 * @param array undefined for an .npy file. @throws BadImageError where the array cannot be read.
 */
export async function fingerprintRows(
  file: string,
  array: string | undefined,
  { cacheFolder = defaultCacheFolder(), onProgress, signal }: OpenOptions,
): Promise<readonly string[]> {
  const { size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  const of = [file, array ?? '', String(size), String(mtimeNs), String(ctimeNs)];
  const name = `rows-${hashText(JSON.stringify(of.slice(0, 2))).slice(0, 32)}.json`;
  const path = join(cacheFolder, 'fingerprints', name);
  const known = await readIndex(path, of);
  if (known) return known;
  const reader = await openRows(file, array);
  try {
    const hashes = await hashRows(reader, onProgress, signal);
    const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
    if (Date.now() - Number(newest / 1_000_000n) > unsettledMilliseconds) {
      const index: z.infer<typeof indexSchema> = { format: 1, of, hashes };
      // A cache folder that cannot be written costs time at the next start and nothing else.
      await writeFileWhole(path, JSON.stringify(index)).catch(() => undefined);
    }
    return hashes;
  } finally {
    await reader.close();
  }
}

async function hashRows(
  reader: RowReader,
  onProgress: OpenOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { count, rowBytes, description } = reader;
  const step = Math.max(1, Math.floor(blockBytes / rowBytes));
  const hashes: string[] = [];
  for (let start = 0; start < count; start += step) {
    signal?.throwIfAborted();
    const end = Math.min(start + step, count);
    const bytes = await reader.read(start, end);
    for (let row = 0; row < end - start; row++) {
      const hash = createHash('sha256').update(description);
      hashes.push(hash.update(bytes.subarray(row * rowBytes, (row + 1) * rowBytes)).digest('hex'));
    }
    onProgress?.(end, count);
    // Reading is synchronous for some formats: signals and progress get their turn.
    await setImmediate();
  }
  return hashes;
}

async function readIndex(path: string, of: readonly string[]): Promise<string[] | undefined> {
  try {
    const index = indexSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return of.every((part, position) => part === index.of[position]) ? index.hashes : undefined;
  } catch {
    // Absent or damaged: the rows are hashed again, which is all that it was for.
    return undefined;
  }
}
