/** The folder where published checkpoints are kept, and what is written down about each. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { errorCode, explainWriteFailure, RequestError, WorkError } from '../util/index.ts';
import {
  sourceFile,
  sourceName,
  sourceNamed,
  type WeightSource,
  weightSources,
} from './catalogue.ts';

/** `CARRYOVER_WEIGHTS`, else `weights` in the user's cache folder. Not made here. */
export function weightsFolder(): string {
  const { CARRYOVER_WEIGHTS, CARRYOVER_CACHE, XDG_CACHE_HOME } = process.env;
  if (CARRYOVER_WEIGHTS) return resolve(CARRYOVER_WEIGHTS);
  if (CARRYOVER_CACHE) return join(resolve(CARRYOVER_CACHE), 'weights');
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'carryover', 'weights');
}

/** A failure to write into the folder, in words that say what to do. */
export function explainFolderFailure(path: string, error: unknown): Error {
  const code = errorCode(error) ?? '';
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)) {
    return explainWriteFailure(path, error);
  }
  return new WorkError(
    {
      where: path,
      expected: 'a folder that can be written',
      got: code,
      hint: 'set CARRYOVER_WEIGHTS to another folder',
    },
    { cause: error },
  );
}

/** Where a source's file is kept. */
export function weightsPath(source: WeightSource, folder = weightsFolder()): string {
  return join(folder, sourceFile(source));
}

/** By what a file was found to be the published one: its whole hash, the digits in its name, nothing. */
export type Verification = 'sha256' | 'prefix' | 'none';

const recordSchema = z.object({
  name: z.string(),
  /** The official address. */
  url: z.string(),
  /** Where it came from in fact: that address, a mirror's, or the hand that put it there. */
  origin: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  verified: z.enum(['sha256', 'prefix', 'none']),
  /** When it was hashed, ISO 8601. */
  date: z.string(),
});

/** What is known of a file in the folder; kept beside it as `<file>.json`. */
export type WeightRecord = z.infer<typeof recordSchema>;

export function recordPath(path: string): string {
  return `${path}.json`;
}

/** What was written down about the file at `path`, or `undefined`. */
export async function readRecord(path: string): Promise<WeightRecord | undefined> {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(await readFile(recordPath(path), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** A source and what the folder has of it. */
export interface CachedWeights {
  source: WeightSource;
  path: string;
  /** Bytes of the file; undefined where it is not there. */
  bytes: number | undefined;
  /** Absent for a file that was put there by hand and not looked at yet. */
  record: WeightRecord | undefined;
}

/** Every source with what the folder has of it. */
export async function listCachedWeights(folder = weightsFolder()): Promise<CachedWeights[]> {
  return Promise.all(
    weightSources().map(async (source) => {
      const path = weightsPath(source, folder);
      const bytes = statSync(path, { throwIfNoEntry: false })?.size;
      const record = bytes === undefined ? undefined : await readRecord(path);
      return { source, path, bytes, record };
    }),
  );
}

/**
 * The file that a user means by `given`: `imagenet` is the model's official checkpoint, `resnet50` or
 * `resnet50.imagenet1k_v2` a published one by name, anything else a path. Nothing is fetched.
 * @param toPath makes a path absolute
 * @throws RequestError for a published checkpoint that is not in the folder, with the command that fetches it.
 */
export function resolveWeights(
  given: string,
  model: string,
  toPath: (path: string) => string,
): string {
  const path = toPath(given);
  const byModel = given === 'imagenet';
  const source = sourceNamed(byModel ? model : given);
  if (existsSync(path) || (!source && !byModel)) return path;
  if (!source) {
    throw new RequestError({
      where: `weights "imagenet" of ${model}`,
      expected: 'a model with published weights',
      got: `${model}, which has none`,
      hint: 'name a checkpoint file, or let a study make one from a source',
    });
  }
  const cached = weightsPath(source);
  if (existsSync(cached)) return cached;
  throw new RequestError({
    where: `weights "${given}"`,
    expected: `${cached}`,
    got: 'no such file',
    hint: `carryover weights fetch ${sourceName(source)} puts it there; training fetches nothing by itself`,
  });
}
