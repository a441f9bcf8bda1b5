// An addon that makes things faster and changes nothing else: where what it is built against is missing or it
// cannot be built, set-up says so and goes on. One folder of sources, one library, one record of how it went.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findCompiler, hash } from './addon.mjs';
import { capture, say } from './process.mjs';

/**
 * @typedef {object} OptionalAddon
 * @property {string} name of its folder of sources in native/, its addon and its record
 * @property {string} purpose for messages: 'for JPEG files'
 * @property {string} [header] the file of another library that the source includes, undefined where it is missing
 * @property {string} missing what to say where it is
 * @property {string} without what is so without the addon
 * @property {string[]} flags compiler and linker arguments; the sources come before them
 */

/**
 * Builds the addon, or finds it built, and says in native/build/<name>.json which one is loaded: `path`, or
 * `reason` where there is none.
 * @param {OptionalAddon} addon
 * @param {{root: string, folder?: string, out?: string, sanitize?: string}} options `folder`: where it belongs, by
 *   default one of its own in native/build; `out`: a folder for a copy that the project does not load of itself, so
 *   that the record is left as it is
 * @returns {Promise<{path?: string, reason?: string, warnings?: string, built: boolean}>} `warnings`:
 *   what the compiler said about the source, empty when it is clean
 */
export async function buildOptionalAddon(addon, { root, folder, out, sanitize }) {
  const { name, header, flags } = addon;
  const build = join(root, 'native/build');
  const files = filesOf(join(root, 'native', name));
  const parts = [
    findCompiler(),
    ...flags,
    folder ?? '',
    headerStamp(header),
    ...[...files, ...filesOf(join(root, 'native/shared'))].map((file) =>
      readFileSync(file, 'utf8'),
    ),
  ];
  const identity = hash(parts);
  const record = join(build, `${name}.json`);
  const known = readRecord(record);
  // A sanitizer's build is not what the project loads.
  const isKept = !out && !sanitize;
  const stands = known?.identity === identity && (known.reason || existsSync(known.path ?? ''));
  if (stands && isKept) return { ...known, built: false };
  const target = out ?? folder ?? join(build, identity);
  // One that was built before must not be loaded where this one fails.
  rmSync(join(target, `${name}.node`), { force: true });
  const result = header ? await compile(addon, files, target) : { reason: addon.missing };
  if (result.reason) say(`${addon.without} (${result.reason})`);
  if (isKept) {
    mkdirSync(build, { recursive: true });
    const text = JSON.stringify({ identity, ...result }, null, 2);
    writeFileSync(`${record}.${process.pid}`, `${text}\n`);
    renameSync(`${record}.${process.pid}`, record);
  }
  return { ...result, built: true };
}

// Another version of the library brings other headers.
function headerStamp(header) {
  if (!header) return 'none';
  const { size, mtimeMs } = statSync(header);
  return `${size} ${Math.round(mtimeMs)}`;
}

/** Sources and headers, in order; none where there is no such folder. */
function filesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

async function compile({ name, purpose, flags }, files, folder) {
  const path = join(folder, `${name}.node`);
  say(`building the addon ${purpose}`);
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const { code, output } = await capture(findCompiler(), [
    ...files.filter((file) => file.endsWith('.cc')),
    '-o',
    temporary,
    ...flags,
  ]);
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
