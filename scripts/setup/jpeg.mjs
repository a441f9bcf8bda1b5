// The addon that decodes JPEG files with the system's libjpeg-turbo (native/jpeg/). It makes the first
// reading of a data set faster and changes nothing else: where its headers are missing or it cannot be
// built, set-up says so and goes on.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCompiler } from './addon.mjs';
import { capture, say } from './process.mjs';

const macos = process.platform === 'darwin';
const slower = 'JPEG files will be decoded by sharp, to the same pixels in twice the time';
const advice = macos ? 'brew install jpeg-turbo' : 'sudo apt-get install -y libjpeg-dev';

/** Folders with `include` and `lib` of their own; the system's are where the compiler looks anyhow. */
const places = ['/opt/homebrew/opt/jpeg-turbo', '/usr/local/opt/jpeg-turbo', '/usr', '/usr/local'];

/** The folder under which libjpeg's headers are, or undefined. */
export function findJpeg(candidates = places) {
  return candidates.find((place) => existsSync(join(place, 'include/jpeglib.h')));
}

/**
 * Builds the addon, or finds it built, and says in native/build/jpeg.json which one is loaded: `path`, or
 * `reason` where there is none.
 * @param {{root: string, place?: string, out?: string, sanitize?: string}} options `place`: as `findJpeg`
 *   has it; `out`: a folder for `jpeg.node` in place of native/build, whose record is then left as it is
 * @returns {Promise<{path?: string, reason?: string, warnings?: string, built: boolean}>} `warnings`:
 *   what the compiler said about the source, empty when it is clean
 */
export async function buildJpegAddon({ root, place = findJpeg(), out, sanitize }) {
  const build = join(root, 'native/build');
  const source = join(root, 'native/jpeg/jpeg.cc');
  const flags = flagsFor(root, place, sanitize);
  const parts = [findCompiler(), ...flags, headerStamp(place), readFileSync(source, 'utf8')];
  const identity = hash(parts);
  const record = join(build, 'jpeg.json');
  const known = readRecord(record);
  // A sanitizer's build is not what the project loads.
  const isKept = !out && !sanitize;
  const stands = known?.identity === identity && (known.reason || existsSync(known.path ?? ''));
  if (stands && isKept) return { ...known, built: false };
  const result = place
    ? await compile(source, flags, out ?? join(build, identity))
    : { reason: 'no headers of libjpeg-turbo' };
  if (result.reason) say(`${slower} (${result.reason}${place ? '' : `; ${advice}`})`);
  if (isKept) {
    mkdirSync(build, { recursive: true });
    const text = JSON.stringify({ identity, ...result }, null, 2);
    writeFileSync(`${record}.${process.pid}`, `${text}\n`);
    renameSync(`${record}.${process.pid}`, record);
  }
  return { ...result, built: true };
}

function flagsFor(root, place, sanitize) {
  const own = place && !['/usr', '/usr/local'].includes(place) ? place : undefined;
  return [
    '-std=c++17',
    ...(sanitize ? [`-fsanitize=${sanitize}`, '-fno-omit-frame-pointer', '-g', '-O1'] : ['-O2']),
    '-fPIC',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-DNAPI_VERSION=8',
    `-isystem${join(root, 'node_modules/node-api-headers/include')}`,
    ...(own ? [`-isystem${join(own, 'include')}`, `-L${join(own, 'lib')}`] : []),
    ...(macos ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
    '-ljpeg',
  ];
}

// Another version of the library brings other headers.
function headerStamp(place) {
  if (!place) return 'none';
  const { size, mtimeMs } = statSync(join(place, 'include/jpeglib.h'));
  return `${size} ${Math.round(mtimeMs)}`;
}

async function compile(source, flags, folder) {
  const path = join(folder, 'jpeg.node');
  say('building the addon for JPEG files');
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const { code, output } = await capture(findCompiler(), [source, '-o', temporary, ...flags]);
  if (code !== 0) {
    const line = output.split('\n').find((each) => /error/i.test(each));
    return { reason: line ?? `exit code ${code} of the compiler` };
  }
  renameSync(temporary, path);
  return { path, warnings: output };
}

function readRecord(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function hash(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex').slice(0, 20);
}
