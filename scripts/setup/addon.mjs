// Builds the addon from native/*.cc by calling the C++ compiler. The result lies in a folder named
// by a hash of everything that determines it, so a second build with nothing changed only looks.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { librariesOf, systemOpenblas } from './libtorch.mjs';
import { capture, findCommand, SetupError, say } from './process.mjs';

const macos = process.platform === 'darwin';

/** The C++ compiler's command: `CXX` where set, else the system's. */
export function findCompiler(environment = process.env) {
  const names = environment.CXX ? [environment.CXX] : ['c++', 'g++', 'clang++'];
  const found = names.map((name) => findCommand(name, environment.PATH)).find((file) => file);
  if (found) return found;
  throw new SetupError(
    `C++ compiler: expected ${names.join(', ')} on PATH, got none ` +
      '(Debian, Ubuntu: sudo apt-get install -y g++; macOS: xcode-select --install)',
  );
}

/** Compiler arguments that say how far to optimise, and for which sanitizer, if any. */
export function optimisation(sanitize) {
  return sanitize ? [`-fsanitize=${sanitize}`, '-fno-omit-frame-pointer', '-g', '-O1'] : ['-O2'];
}

/**
 * Compiler and linker arguments for one LibTorch.
 * @param {import('./libtorch.mjs').LibTorch} libtorch
 * @param {{root: string, sanitize?: string}} options the repository's folder; a sanitizer's name
 */
export function buildArguments(libtorch, { root, sanitize }) {
  const includes = [
    `-I${join(root, 'native')}`,
    `-isystem${join(root, 'node_modules/node-api-headers/include')}`,
    ...(libtorch.systemInclude ? [] : [`-isystem${libtorch.include}`]),
    `-isystem${join(libtorch.include, 'torch/csrc/api/include')}`,
  ];
  const compile = [
    // LibTorch's own headers ask for C++20 from the 2.10s on.
    atLeast(libtorch.version, 2, 10) ? '-std=c++20' : '-std=c++17',
    '-fPIC',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    `-D_GLIBCXX_USE_CXX11_ABI=${libtorch.cxx11Abi ? 1 : 0}`,
    '-DNAPI_VERSION=8',
    ...optimisation(sanitize),
    ...includes,
  ];
  const link = macos ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  if (sanitize) link.push(`-fsanitize=${sanitize}`);
  const openblas = systemOpenblas(libtorch);
  if (openblas) link.push(...linkOpenblas(openblas));
  link.push(`-L${libtorch.lib}`, `-Wl,-rpath,${libtorch.lib}`);
  // Without this the linker drops libraries that are needed only for what they register on load.
  if (!macos) link.push('-Wl,--no-as-needed');
  link.push(...librariesOf(libtorch).map((name) => `-l${name}`));
  return { compile, link };
}

// Named before LibTorch, so that the loader meets these files first and gives LibTorch the same.
function linkOpenblas(folder) {
  const files = ['libopenblas.so.0', 'libblas.so.3', 'liblapack.so.3'];
  return ['-Wl,--no-as-needed', `-Wl,-rpath,${folder}`, ...files.map((name) => join(folder, name))];
}

/**
 * Builds the addon, or finds it built.
 * @param {import('./libtorch.mjs').LibTorch} libtorch
 * @param {{root: string, out?: string, sanitize?: string}} options `out`: a folder for
 *   `carryover.node` in place of native/build, which is then left as it is
 * @returns {Promise<{path: string, built: boolean, warnings: string}>} `warnings`: what the
 *   compiler said about the sources, empty when they are clean
 */
export async function buildAddon(libtorch, { root, out, sanitize }) {
  const compiler = findCompiler();
  const { compile, link } = buildArguments(libtorch, { root, sanitize });
  const native = join(root, 'native');
  const sources = readdirSync(native).filter((name) => name.endsWith('.cc'));
  if (sources.length === 0) throw new SetupError(`${native}: expected C++ sources, got none`);
  const headers = readdirSync(native).filter((name) => name.endsWith('.h'));
  const cpu = statSync(join(libtorch.lib, `libtorch_cpu.${macos ? 'dylib' : 'so'}`));
  const identity = [
    compiler,
    ...compile,
    libtorch.place,
    libtorch.version,
    `${cpu.size} ${Math.round(cpu.mtimeMs)}`,
    ...headers.sort().map((name) => readFileSync(join(native, name), 'utf8')),
  ];
  const units = sources.sort().map((name) => {
    const source = join(native, name);
    return {
      source,
      hash: hash([...identity, name, readFileSync(source, 'utf8')]),
    };
  });
  const folder = out ?? join(native, 'build', hash([...units.map((unit) => unit.hash), ...link]));
  const path = join(folder, 'carryover.node');
  const objects = join(native, 'build/objects');
  const logs = units.map((unit) => join(objects, `${unit.hash}.log`));
  const finished = existsSync(path) && logs.every((log) => existsSync(log)) && !out;
  if (!finished) {
    say(`building the addon against LibTorch ${libtorch.version} (${libtorch.place})`);
    mkdirSync(objects, { recursive: true });
    mkdirSync(folder, { recursive: true });
    await compileAll(compiler, compile, units, objects);
    const temporary = `${path}.${process.pid}`;
    const files = units.map((unit) => join(objects, `${unit.hash}.o`));
    await must(compiler, [...files, '-o', temporary, ...link], 'linking the addon');
    renameSync(temporary, path);
  }
  const warnings = logs.map((log) => readFileSync(log, 'utf8')).join('');
  return { path, built: !finished, warnings };
}

async function compileAll(compiler, flags, units, objects) {
  const waiting = units.filter((unit) => !existsSync(join(objects, `${unit.hash}.log`)));
  const work = async () => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) {
      const object = join(objects, `${unit.hash}.o`);
      const temporary = `${object}.${process.pid}`;
      const what = `compiling native/${basename(unit.source)}`;
      say(what);
      const output = await must(compiler, [...flags, '-c', unit.source, '-o', temporary], what);
      process.stderr.write(output);
      renameSync(temporary, object);
      writeFileSync(join(objects, `${unit.hash}.log`), output);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

async function must(command, args, what) {
  const { code, output } = await capture(command, args);
  if (code === 0) return output;
  throw new SetupError(
    `${what} failed (exit code ${code}):\n${output}\n${command} ${args.join(' ')}`,
  );
}

/** Says in native/build/current.json which addon the project loads. */
export function selectAddon(root, path, libtorch) {
  const file = join(root, 'native/build/current.json');
  const text = `${JSON.stringify({ path, libtorch: libtorch.place, version: libtorch.version }, null, 2)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

function atLeast(version, major, minor) {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

/** A short name for all that determines a build. */
export function hash(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex').slice(0, 20);
}
