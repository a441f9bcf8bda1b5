/** Where things that can be made again are kept: file hashes, resized images. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** `CARRYOVER_CACHE`, else the user's cache folder of the system. Not made here. */
export function defaultCacheFolder(): string {
  const { CARRYOVER_CACHE, XDG_CACHE_HOME } = process.env;
  if (CARRYOVER_CACHE) return resolve(CARRYOVER_CACHE);
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'carryover');
}
