/**
 * Content hashes of a data set's files. A hash is remembered with the file's size and times, so that
 * a data set is read whole once and afterwards only looked at.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { errorCode, hashText, mapBounded, writeFileWhole } from '../util/index.ts';
import { defaultCacheFolder } from './cacheFolder.ts';
import { fingerprintRows } from './fingerprintRows.ts';
import { fileOf, parseReference, selectionOf } from './images/reference.ts';
import type { OpenOptions } from './kind.ts';

/** Size, modification and change time in nanoseconds, SHA-256. */
const entrySchema = z.tuple([z.string(), z.string(), z.string(), z.string()]);
const indexSchema = z.strictObject({
  format: z.literal(1),
  root: z.string(),
  files: z.record(z.string(), entrySchema),
});

type Entry = z.infer<typeof entrySchema>;

/** Files under way at once: enough to keep a disk or a network share busy. */
const concurrency = 16;

/** Files larger than this are hashed as a stream. */
const wholeFileBytes = 4 * 1024 * 1024;

/**
 * A file changed this shortly before it was hashed could change again without its times showing it,
 * so its hash is not remembered.
 */
const unsettledNanoseconds = 2_000_000_000n;

/**
 * The SHA-256 of each picture, in hex, in the order of `paths`: of a file's bytes, of a row's, or of a
 * file's and what is selected of it. `unreadable: <reason>` for what cannot be read, which is a bad
 * image later and no error here.
 */
export async function fingerprintPictures(
  root: string,
  paths: readonly string[],
  options: OpenOptions,
): Promise<string[]> {
  const references = paths.map(partsOf);
  const files = [...new Set(references.filter(({ row }) => row === undefined).map(fileOfParts))];
  const hashes = await fingerprintFiles(root, files, options);
  const hashOfFile = new Map(files.map((file, index) => [file, hashes[index] ?? '']));
  const rowsOf = new Map<string, Promise<readonly string[] | string>>();
  const result: string[] = [];
  for (const { file, row, array, selection } of references) {
    if (row === undefined) {
      const hash = hashOfFile.get(file) ?? '';
      const whole = selection === '' || hash.startsWith(unreadableMark);
      result.push(whole ? hash : hashText(`${hash} ${selection}`));
      continue;
    }
    const key = JSON.stringify([file, array]);
    const rows = rowsOf.get(key) ?? rowHashes(file, array, options);
    rowsOf.set(key, rows);
    const found = await rows;
    result.push(typeof found === 'string' ? found : (found[row] ?? `${unreadableMark}no such row`));
  }
  return result;
}

const unreadableMark = 'unreadable: ';

/** The parts of a reference that decide about its hash. */
interface Parts {
  file: string;
  array?: string;
  row?: number;
  selection: string;
}

function partsOf(reference: string): Parts {
  const file = fileOf(reference);
  const selection = selectionOf(reference);
  try {
    const { array, row } = parseReference(reference);
    return { file, array, row, selection };
  } catch {
    // What cannot be understood is a bad image later.
    return { file, selection };
  }
}

function fileOfParts({ file }: Parts): string {
  return file;
}

async function rowHashes(
  file: string,
  array: string | undefined,
  options: OpenOptions,
): Promise<readonly string[] | string> {
  try {
    return await fingerprintRows(file, array, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    return `${unreadableMark}${reasonOf(error)}`;
  }
}

async function fingerprintFiles(
  root: string,
  paths: readonly string[],
  { cacheFolder = defaultCacheFolder(), onProgress, signal }: OpenOptions,
): Promise<string[]> {
  const indexPath = join(cacheFolder, 'fingerprints', `${hashText(root).slice(0, 32)}.json`);
  const known = await readIndex(indexPath, root);
  let fresh = 0;
  let done = 0;
  const hashes = await mapBounded(paths, concurrency, async (path) => {
    signal?.throwIfAborted();
    const name = relative(root, path);
    const result = await fingerprint(path, known.get(name));
    if (result.entry) {
      known.set(name, result.entry);
      fresh++;
    }
    done++;
    onProgress?.(done, paths.length);
    return result.hash;
  });
  if (fresh > 0) await writeIndex(indexPath, root, known);
  return hashes;
}

/** The file's hash, and what to remember where something new was learnt. */
async function fingerprint(
  path: string,
  known: Entry | undefined,
): Promise<{ hash: string; entry?: Entry }> {
  try {
    const before = await stat(path, { bigint: true });
    const times = timesOf(before);
    if (known && times.every((part, index) => part === known[index])) return { hash: known[3] };
    const hash = await hashContent(path, Number(before.size));
    const newest = before.mtimeNs > before.ctimeNs ? before.mtimeNs : before.ctimeNs;
    const settled = BigInt(Date.now()) * 1_000_000n - newest > unsettledNanoseconds;
    return settled ? { hash, entry: [...times, hash] } : { hash };
  } catch (error) {
    return { hash: `${unreadableMark}${reasonOf(error)}` };
  }
}

function timesOf(stats: BigIntStats): [string, string, string] {
  return [String(stats.size), String(stats.mtimeNs), String(stats.ctimeNs)];
}

async function hashContent(path: string, size: number): Promise<string> {
  const hash = createHash('sha256');
  if (size <= wholeFileBytes) hash.update(await readFile(path));
  else await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function reasonOf(error: unknown): string {
  const code = errorCode(error);
  if (code !== undefined) return code;
  return error instanceof Error ? error.message : String(error);
}

async function readIndex(path: string, root: string): Promise<Map<string, Entry>> {
  try {
    const index = indexSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    if (index.root === root) return new Map(Object.entries(index.files));
  } catch {
    // Absent or damaged: the files are hashed again, which is all that it was for.
  }
  return new Map();
}

async function writeIndex(path: string, root: string, files: Map<string, Entry>): Promise<void> {
  const index: z.infer<typeof indexSchema> = {
    format: 1,
    root,
    files: Object.fromEntries(files),
  };
  try {
    await writeFileWhole(path, JSON.stringify(index));
  } catch {
    // A cache folder that cannot be written costs time at the next start and nothing else.
  }
}
