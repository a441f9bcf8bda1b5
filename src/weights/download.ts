/**
 * Fetches a file over HTTP so that what came stays: bytes go to a partial file, whose state (address,
 * validator, length) is kept beside it, and the next attempt, or the next process, asks for the rest alone.
 */
import { open, readFile, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { WorkError, writeJson } from '../util/index.ts';
import { explainFolderFailure } from './weightsFolder.ts';

/** No checkpoint of ours is a tenth as large; a server that sends more sends something else. */
const mostBytes = 4 * 2 ** 30;

export interface DownloadOptions {
  signal?: AbortSignal;
  /** Bytes that are there, and of how many, where the server says. */
  onProgress?: (done: number, total: number | undefined) => void;
  /** Attempts in a row that bring nothing before giving up. Default 4. */
  attempts?: number;
  /** Milliseconds before the second attempt; twice as many before each after it. Default 1000. */
  pause?: number;
  /** Milliseconds without a byte after which a connection counts as cut. Default 60,000. */
  patience?: number;
}

export interface Target {
  url: string;
  /** The partial file. */
  path: string;
  /**
   * Whether the caller knows the file's hash, so that parts may be joined although no server says that they
   * are of one file.
   */
  isChecked: boolean;
}

const stateSchema = z.object({
  url: z.string(),
  /** The strong ETag, or the date of the last change, by which a server knows the file again. */
  validator: z.string().optional(),
});

type State = z.infer<typeof stateSchema>;

const statePath = (path: string): string => `${path}.state`;

async function readState(path: string): Promise<State | undefined> {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(await readFile(statePath(path), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a partial file and its state. */
export async function discardPartial(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(statePath(path), { force: true });
}

/** The connection failed in a way that another attempt may mend. */
class CutConnectionError extends Error {}

/** Nothing answers there: no network, no such host, nobody listening. */
export class UnreachableError extends Error {}

const unreachable = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);

/** Codes of certificates that cannot be trusted, as behind some hospitals' proxies. */
const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS|ERR_SSL/;

/** The innermost cause of an error, whose code and message say what happened. */
function rootCause(error: unknown): { code: string; message: string } {
  let current: unknown = error;
  while (current instanceof Error && current.cause !== undefined) current = current.cause;
  const inner = current instanceof AggregateError ? current.errors[0] : current;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  const message = inner instanceof Error ? inner.message : String(inner);
  return { code, message: message.replaceAll(/\s+/g, ' ').slice(0, 160) };
}

/** An error of `fetch`, or of reading its body, as one of ours. */
function connectionError(error: unknown): Error {
  const { code, message } = rootCause(error);
  const text = code && !message.includes(code) ? `${code}: ${message}` : message;
  const isHopeless = unreachable.has(code) || untrusted.test(code) || message === 'bad port';
  return isHopeless ? new UnreachableError(text) : new CutConnectionError(text);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The partial file is the whole file already. */
const complete = Symbol('complete');

interface Answer {
  response: Response;
  /** Where in the file the body begins. */
  start: number;
  /** Bytes of the whole file, where the server says. */
  total: number | undefined;
}

/** Asks for the file, or for what is missing of it. `undefined`: what is there is of no use, ask again. */
async function ask(
  { url, path, isChecked }: Target,
  signal: AbortSignal,
): Promise<Answer | typeof complete | undefined> {
  const have = await sizeOf(path);
  const state = await readState(path);
  const validator = state?.url === url ? state.validator : undefined;
  const resumes = have > 0 && (isChecked || validator !== undefined);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (resumes) headers.range = `bytes=${have}-`;
  if (resumes && validator !== undefined) headers['if-range'] = validator;
  let response: Response;
  try {
    response = await fetch(url, { headers, signal });
  } catch (error) {
    throw connectionError(error);
  }
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  if (response.status === 200) {
    return { response, start: 0, total: Number.isSafeInteger(length) ? length : undefined };
  }
  const contentRange = response.headers.get('content-range') ?? '';
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(contentRange);
  if (response.status === 206 && resumes && Number(range?.[1]) === have) {
    return { response, start: have, total: Number(range?.[2]) };
  }
  await response.body?.cancel();
  if (response.status === 416 && resumes && contentRange === `bytes */${have}`) return complete;
  if (resumes && (response.status === 206 || response.status === 416)) return undefined;
  const { status, statusText } = response;
  if (status === 408 || status === 429 || status >= 500) {
    throw new CutConnectionError(`${status} ${statusText}`);
  }
  throw new WorkError({
    where: url,
    expected: 'the file',
    got: `${status} ${statusText}`.trim(),
    hint:
      status === 404
        ? 'it is not there: a mirror must hold the file under its official name'
        : 'the server refuses: try another mirror',
  });
}

/** What the server will know the file by, if it can resume it. */
function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  // A weak one does not promise the same bytes.
  if (etag && !etag.startsWith('W/')) return etag;
  return headers.get('last-modified') ?? undefined;
}

function tooLarge(url: string, bytes: number): WorkError {
  return new WorkError({
    where: url,
    expected: `a checkpoint of at most ${mostBytes} bytes`,
    got: `${bytes}`,
    hint: 'the server sends something else: try another mirror',
  });
}

/** Appends the body to the partial file. @throws CutConnectionError where it ends too early. */
async function receive(
  { response, start, total }: Answer,
  path: string,
  options: { url: string; onProgress: DownloadOptions['onProgress']; onChunk: () => void },
): Promise<void> {
  const { url, onProgress, onChunk } = options;
  const file = await open(path, start > 0 ? 'r+' : 'w').catch((error: unknown) => {
    throw explainFolderFailure(path, error);
  });
  let done = start;
  try {
    onProgress?.(done, total);
    const chunks = response.body?.getReader();
    while (chunks) {
      const chunk = await chunks.read().catch((error: unknown) => {
        throw connectionError(error);
      });
      if (chunk.done) break;
      onChunk();
      if (done + chunk.value.byteLength > (total ?? mostBytes)) throw tooLarge(url, done);
      await file.write(chunk.value, 0, chunk.value.byteLength, done).catch((error: unknown) => {
        throw explainFolderFailure(path, error);
      });
      done += chunk.value.byteLength;
      onProgress?.(done, total);
    }
    await file.sync();
  } finally {
    await file.close();
    await response.body?.cancel().catch(() => undefined);
  }
  if (total !== undefined && done < total) {
    throw new CutConnectionError(`the connection ended after ${done} of ${total} bytes`);
  }
}

/** One attempt. @returns whether the whole file is there; false means that it must be asked for anew. */
async function attempt(target: Target, options: DownloadOptions): Promise<boolean> {
  const { url, path } = target;
  const { signal, onProgress, patience = 60_000 } = options;
  const stalled = new AbortController();
  const timer = setTimeout(
    () => stalled.abort(new Error(`no byte for ${patience / 1000} s`)),
    patience,
  );
  try {
    const both = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal;
    const answer = await ask(target, both);
    if (!answer) {
      await discardPartial(path);
      return false;
    }
    if (answer === complete) return true;
    const { response, total = 0 } = answer;
    if (total > mostBytes) throw tooLarge(url, total);
    await writeJson(statePath(path), { url, validator: validatorOf(response.headers) });
    await receive(answer, path, { url, onProgress, onChunk: () => timer.refresh() });
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Fetches a file, going on from what an earlier call left at the path. What the bytes are is for the caller to
 * check; then it moves the file, or discards it with `discardPartial`.
 * @throws UnreachableError when nobody answers, WorkError for an answer other than the file or a connection
 * that keeps breaking, and the signal's reason when it aborts.
 */
export async function download(target: Target, options: DownloadOptions = {}): Promise<void> {
  const { url, path } = target;
  const { attempts = 4, pause = 1000, signal } = options;
  let failures = 0;
  for (;;) {
    const before = await sizeOf(path);
    try {
      if (await attempt(target, options)) return;
    } catch (error) {
      if (!(error instanceof CutConnectionError)) throw error;
      const after = await sizeOf(path);
      // An attempt that brought something starts the count again.
      failures = after > before ? 1 : failures + 1;
      if (failures >= attempts) {
        throw new WorkError(
          {
            where: url,
            expected: 'the whole file',
            got: `${error.message} (${after} bytes are kept)`,
            hint: 'the same command goes on from there',
          },
          { cause: error },
        );
      }
      await sleep(pause * 2 ** (failures - 1), undefined, { signal }).catch(() => undefined);
      signal?.throwIfAborted();
    }
  }
}
