/** Published checkpoints, fetched once, checked, and kept. */
import { existsSync } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { recogniseCheckpoint } from '../models/index.ts';
import { errorCode, hashFile, RequestError, WorkError, writeJson } from '../util/index.ts';
import { hashPrefix, sourceFile, sourceName, type WeightSource } from './catalogue.ts';
import { type DownloadOptions, discardPartial, download, UnreachableError } from './download.ts';
import { listWeights } from './read.ts';
import {
  explainFolderFailure,
  readRecord,
  recordPath,
  type Verification,
  type WeightRecord,
  weightsFolder,
  weightsPath,
} from './weightsFolder.ts';

export interface FetchOptions extends DownloadOptions {
  /** Where files are kept. Default: `weightsFolder()`. */
  folder?: string;
  /** Address of a folder on a web server that holds the files under their official names. */
  mirror?: string;
  /** Called once when another process is fetching the same file. */
  onWait?: () => void;
}

export interface FetchedWeights extends WeightRecord {
  path: string;
  /** Whether the file was there already. */
  present: boolean;
  /** What the user should know of the file besides. */
  warnings: string[];
}

/** A lock that was not renewed for so long is a dead process's. */
const lockStale = 10_000;

/** The address that a source is fetched from. @throws RequestError for a mirror that is no web address. */
export function addressOf(source: WeightSource, mirror: string | undefined): string {
  if (!mirror) return source.url;
  const url = URL.canParse(mirror) ? new URL(mirror) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new RequestError({
      where: `mirror ${mirror}`,
      expected: 'an http:// or https:// address of a folder with the files',
      got: mirror,
      hint: 'for files on a disk, set CARRYOVER_WEIGHTS to their folder',
    });
  }
  return `${url.href.replace(/\/+$/, '')}/${sourceFile(source)}`;
}

/** By what the hash shows the file to be the published one; `undefined` where it shows another. */
function verificationOf(source: WeightSource, sha256: string): Verification | undefined {
  const prefix = hashPrefix(source);
  const { sha256: whole } = source;
  if (whole !== undefined) return sha256 === whole ? 'sha256' : undefined;
  if (prefix !== undefined) return sha256.startsWith(prefix) ? 'prefix' : undefined;
  return 'none';
}

/** @throws WorkError where the hash shows the file to be another. */
function verify(source: WeightSource, path: string, sha256: string, hint: string): Verification {
  const verified = verificationOf(source, sha256);
  if (verified) return verified;
  const prefix = hashPrefix(source);
  const { sha256: whole } = source;
  throw new WorkError({
    where: path,
    expected: whole ? `SHA-256 ${whole}` : `a SHA-256 that starts with ${prefix}`,
    got: sha256,
    hint,
  });
}

/** What a checkpoint's names and shapes say against its being the model's. @throws WorkError if it is none. */
async function examine(source: WeightSource, path: string): Promise<string[]> {
  const { tensors } = await listWeights(path);
  const found = recogniseCheckpoint(
    new Map([...tensors].map(([name, { shape }]) => [name, shape])),
  );
  if (found?.model === source.model) return [];
  const what = found?.description ?? 'of no network known here';
  return [`${sourceFile(source)} does not look like ${source.model}: it is ${what}`];
}

async function recordFile(
  source: WeightSource,
  path: string,
  facts: Pick<WeightRecord, 'origin' | 'sha256' | 'verified'>,
): Promise<WeightRecord> {
  const { size: bytes } = await stat(path);
  const { url } = source;
  const date = new Date().toISOString();
  const record = { name: sourceName(source), url, ...facts, bytes, date };
  await writeJson(recordPath(path), record);
  return record;
}

/** A file that is there already: hashed again and compared with its name and with what was recorded. */
async function checkPresent(source: WeightSource, path: string): Promise<FetchedWeights> {
  const sha256 = await hashFile(path);
  const remove = 'remove it and run the same command again';
  const verified = verify(source, path, sha256, remove);
  const known = await readRecord(path);
  if (known && known.sha256 !== sha256) {
    throw new WorkError({
      where: path,
      expected: `SHA-256 ${known.sha256}, as on ${known.date.slice(0, 10)}`,
      got: sha256,
      hint: remove,
    });
  }
  const warnings = await examine(source, path);
  const record = known ?? (await recordFile(source, path, { origin: path, sha256, verified }));
  return { ...record, path, present: true, warnings };
}

/** Where to get the file, and where to put it, without a network. */
function offline(source: WeightSource, address: string, path: string, error: Error): WorkError {
  const elsewhere = address === source.url ? '' : ` (officially ${source.url})`;
  return new WorkError(
    {
      where: `weights of ${sourceName(source)}`,
      expected: `${address}${elsewhere} to answer`,
      got: error.message,
      hint: `on a machine with network, get ${source.url}, put it at ${path}, and run the same command to check it; or name a mirror with --mirror or CARRYOVER_WEIGHTS_MIRROR`,
    },
    { cause: error },
  );
}

async function fetchNew(
  source: WeightSource,
  path: string,
  options: FetchOptions,
): Promise<FetchedWeights> {
  const address = addressOf(source, options.mirror);
  const partial = `${path}.part`;
  const isChecked = (hashPrefix(source) ?? source.sha256) !== undefined;
  const get = async (): Promise<string> => {
    try {
      await download({ url: address, path: partial, isChecked }, options);
    } catch (error) {
      if (error instanceof UnreachableError) throw offline(source, address, path, error);
      throw error;
    }
    return hashFile(partial);
  };
  const resumes = existsSync(partial);
  let sha256 = await get();
  if (resumes && verificationOf(source, sha256) === undefined) {
    // What an earlier command left may be of another file than what followed.
    await discardPartial(partial);
    sha256 = await get();
  }
  try {
    const again = `what came from ${address} was removed: run the same command again, or try another mirror`;
    const verified = verify(source, path, sha256, again);
    const warnings = await examine(source, partial);
    await rename(partial, path);
    await discardPartial(partial);
    const record = await recordFile(source, path, { origin: address, sha256, verified });
    return { ...record, path, present: false, warnings };
  } catch (error) {
    await discardPartial(partial);
    throw explainFolderFailure(path, error);
  }
}

/** Waits for the lock of a file. */
async function lock(path: string, { signal, onWait }: FetchOptions): Promise<() => Promise<void>> {
  for (let waits = 0; ; waits++) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(path, {
        lockfilePath: `${path}.lock`,
        realpath: false,
        stale: lockStale,
        // Lost while this process was suspended: the hash at the end still guards the file.
        onCompromised: () => {},
      });
    } catch (error) {
      const isHeld = errorCode(error) === 'ELOCKED';
      if (!isHeld) throw explainFolderFailure(path, error);
      if (waits === 0) onWait?.();
      await sleep(250);
    }
  }
}

/**
 * The checkpoint of `source`, fetched unless it is there, and checked: against the digits of its SHA-256 that
 * its name carries, or the whole hash where its publisher states one. A file without either is recorded
 * with the hash that it had. Processes that fetch the same file wait for each other.
 *
 * @throws WorkError for a file that is another than the published one (it is removed), no connection (with
 * what to put where), a connection that keeps breaking (what came is kept); RequestError for a bad mirror.
 */
export async function fetchWeights(
  source: WeightSource,
  options: FetchOptions = {},
): Promise<FetchedWeights> {
  const path = weightsPath(source, options.folder ?? weightsFolder());
  addressOf(source, options.mirror);
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw explainFolderFailure(path, error);
  });
  const release = await lock(path, options);
  try {
    return existsSync(path)
      ? await checkPresent(source, path)
      : await fetchNew(source, path, options);
  } finally {
    await release().catch(() => undefined);
  }
}
