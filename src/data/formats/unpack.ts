/** Compressed data, unpacked once into the cache folder so that parts of it can be read by themselves. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCode, explainWriteFailure, hashText, RequestError } from '../../util/index.ts';
import { defaultCacheFolder } from '../cacheFolder.ts';
import type { OpenOptions } from '../kind.ts';

export interface Packed {
  /** The file that holds it, and the part of that file. */
  path: string;
  part: string;
  /** What the unpacked file is called. */
  name: string;
  /** Whether an unpacked file of this size can be it. */
  isWhole: (bytes: number) => boolean;
  open: () => Promise<Readable>;
}

/** Why a folder cannot be written, where another one may do. */
const unwritable = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT'];

/**
 * The path of the unpacked file: whole, whatever happens. It belongs to the packed file's path, size
 * and times, and is used again while they stay. Without a cache folder that can be written, the
 * system's folder of temporary files holds it.
 * @throws RequestError for damaged data; WorkError where the disk is full.
 */
export async function unpack(packed: Packed, options: OpenOptions): Promise<string> {
  const { cacheFolder = defaultCacheFolder() } = options;
  try {
    return await unpackInto(join(cacheFolder, 'unpacked'), packed, options);
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (!unwritable.includes(code)) throw error;
    const spare = join(tmpdir(), `carryover-${process.getuid?.() ?? 'cache'}`, 'unpacked');
    try {
      return await unpackInto(spare, packed, options);
    } catch (second) {
      throw explainWriteFailure(spare, second);
    }
  }
}

async function unpackInto(
  cache: string,
  { path, part, name, isWhole, open }: Packed,
  { signal }: OpenOptions,
): Promise<string> {
  const { size, mtimeMs, ctimeMs } = await stat(path);
  const key = hashText(JSON.stringify([path, part, size, mtimeMs, ctimeMs])).slice(0, 32);
  const folder = join(cache, key);
  const target = join(folder, name);
  const existing = await stat(target).catch(() => undefined);
  if (existing && isWhole(existing.size)) return target;
  await mkdir(folder, { recursive: true });
  const temporary = `${target}.${process.pid}.unfinished`;
  try {
    const source = await open();
    const sink = createWriteStream(temporary, { flush: true });
    await pipeline(source, sink, { signal });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    const code = errorCode(error) ?? '';
    if (code === 'ENOSPC' || code === 'EDQUOT') throw explainWriteFailure(folder, error);
    if (unwritable.includes(code) || signal?.aborted) throw error;
    throw new RequestError(
      {
        where: path,
        expected: `${basename(part)} in full`,
        got: `truncated or damaged data (${error instanceof Error ? error.message : String(error)})`,
        hint: 'download it again',
      },
      { cause: error },
    );
  }
  return target;
}
