/** Files that are complete or absent: temporary name, sync, rename. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import writeFileAtomic from 'write-file-atomic';
import { errorCode, RequestError, WorkError } from './errors.ts';

/**
 * Writes `content` to `path` so that a reader, a crash or a kill never sees half of it. Folders are made.
 * @throws RequestError where `path` is a folder or a device; WorkError when the disk is full or the folder
 *   cannot be written.
 */
export async function writeFileWhole(path: string, content: string | Buffer): Promise<void> {
  try {
    await refuseToReplace(path);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, content, { fsync: true });
  } catch (error) {
    throw explainWriteFailure(path, error);
  }
}

/**
 * A new file takes the place of what has its name. That is meant for files alone: a folder stays, and so
 * does a device such as /dev/null, which root could replace for the whole machine.
 * @throws RequestError
 */
export async function refuseToReplace(path: string): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined || status.isFile()) return;
  const isFolder = status.isDirectory();
  throw new RequestError({
    where: path,
    expected: 'the name of a file to write',
    got: isFolder ? 'a folder' : 'a device or a pipe',
    hint: isFolder ? 'name a file inside it' : 'name a file',
  });
}

/** Writes `value` as indented JSON with a final newline, whole or not at all. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}

const FULL_DISK = 'a full disk';

/** Whether an error's message, perhaps another process's, says that the disk is full. */
export function isFullDisk(message: string): boolean {
  return message.includes(FULL_DISK) || /\b(ENOSPC|EDQUOT)\b|No space left on device/.test(message);
}

/** A file system error, in words that say what to do. */
export function explainWriteFailure(path: string, error: unknown): Error {
  const code = errorCode(error) ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new WorkError(
      {
        where: path,
        expected: 'room on the disk to write',
        got: FULL_DISK,
        hint: 'free some space and start the same command again; finished work is kept',
      },
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new WorkError(
      { where: path, expected: 'a writable folder', got: code, hint: 'choose another --out' },
      { cause: error },
    );
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new WorkError(
      {
        where: path,
        expected: 'a place inside a folder',
        got: 'a file on the way to it',
        hint: 'choose another --out',
      },
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** Why a file that was named cannot be read, in words for the `got` of an error. */
export function readFault(error: unknown): string {
  const code = errorCode(error) ?? '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file';
  if (code === 'EISDIR') return 'a folder';
  if (code === 'EACCES' || code === 'EPERM') return 'a file that may not be read';
  if (code !== '') return code;
  return error instanceof Error ? error.message : String(error);
}

/** SHA-256 of a file's bytes, in hex, streamed. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** SHA-256 of a string, in hex. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
