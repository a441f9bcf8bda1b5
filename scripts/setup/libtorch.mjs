// Where LibTorch is, and what a program that links it must know. Three shapes are recognised: a
// folder with include/ and lib/ (the LibTorch zip, the `torch` package of a Python), and a
// system-wide installation (Debian's libtorch-dev, Homebrew's pytorch). Nothing here loads it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ask, findCommand, SetupError } from './process.mjs';

const library = process.platform === 'darwin' ? 'dylib' : 'so';
const versionHeader = 'torch/csrc/api/include/torch/version.h';
const multiarch = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];

/**
 * @typedef {object} LibTorch
 * @property {string} kind 'folder' (zip), 'python' or 'system'
 * @property {string} place the folder, for messages and for the build's key
 * @property {string} include the folder that holds torch/, ATen/ and c10/
 * @property {boolean} systemInclude the compiler looks there anyhow (it must not be given again)
 * @property {string} lib the folder that holds libtorch_cpu
 * @property {string} version of the headers, for example '1.13.0'
 * @property {boolean} cxx11Abi the C++ string ABI that the libraries were built with
 * @property {boolean} cuda a CUDA build
 */

/**
 * Finds LibTorch: the folder named by `LIBTORCH`, the `torch` package of the active Python, the
 * system's.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {LibTorch | undefined} undefined when there is none
 * @throws {SetupError} when `LIBTORCH` is set and is not such a folder
 */
export function findLibtorch(environment = process.env) {
  if (environment.LIBTORCH) return libtorchFolder(environment.LIBTORCH, 'LIBTORCH');
  return pythonLibtorch(environment) ?? systemLibtorch();
}

/** The LibTorch in a folder that the user named; `origin` is what named it. */
export function libtorchFolder(folder, origin) {
  const found = inspect(resolve(folder), 'folder');
  if (found) return found;
  throw new SetupError(
    `${origin}: expected a folder with include/${versionHeader} and lib/libtorch_cpu.${library}, ` +
      `got ${folder} (name the folder that the LibTorch zip unpacks to, or the torch package of a Python)`,
  );
}

function pythonLibtorch(environment) {
  const home = environment.VIRTUAL_ENV ?? environment.CONDA_PREFIX;
  const python = home ? join(home, 'bin', 'python') : findCommand('python3', environment.PATH);
  if (!python || !existsSync(python)) return undefined;
  // Importing torch takes seconds; finding the package takes none.
  const code =
    'import importlib.util as u; s = u.find_spec("torch"); print(*(s.submodule_search_locations if s else []))';
  const place = ask(python, ['-c', code], {
    cwd: '/',
    env: { ...process.env, ...environment },
  });
  return place ? inspect(place, 'python') : undefined;
}

function systemLibtorch() {
  for (const root of ['/usr', '/usr/local', '/opt/homebrew']) {
    for (const lib of [multiarch && `lib/${multiarch}`, 'lib64', 'lib']) {
      const found = lib && inspect(root, 'system', join(root, lib));
      if (found) return found;
    }
  }
  return undefined;
}

function inspect(root, kind, lib = join(root, 'lib')) {
  const include = join(root, 'include');
  if (!existsSync(join(include, versionHeader))) return undefined;
  if (!existsSync(join(lib, `libtorch_cpu.${library}`))) return undefined;
  return {
    kind,
    place: kind === 'system' ? lib : root,
    include,
    systemInclude: include === '/usr/include' || include === '/usr/local/include',
    lib,
    version: versionOf(include),
    cxx11Abi: usesCxx11Abi(lib),
    cuda: existsSync(join(lib, `libtorch_cuda.${library}`)),
  };
}

// The macros moved to a second header in the 2.9s, which the first one includes.
function versionOf(include) {
  const text = [versionHeader, 'torch/headeronly/version.h']
    .map((name) => join(include, name))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`define TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1] ?? '0',
  );
  return parts.join('.');
}

// libstdc++ has two incompatible std::string classes; PyTorch's own Linux builds before 2.6 used
// the old one. The mangled name of a c10 function that takes a string tells which.
function usesCxx11Abi(lib) {
  if (process.platform !== 'linux') return true;
  return readFileSync(join(lib, 'libc10.so')).includes(
    '_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112',
  );
}

/**
 * The folder of OpenBLAS's OpenMP build, for a system LibTorch that takes its BLAS from the
 * system, or undefined where there is none. The addon links it by this path, so that it is used
 * whatever the machine's own choice of BLAS is: the reference BLAS is many times slower, and the
 * pthread build brings a second thread pool that competes with LibTorch's.
 */
export function systemOpenblas(libtorch) {
  if (libtorch.kind !== 'system' || process.platform !== 'linux') return undefined;
  const folder = join(libtorch.lib, 'openblas-openmp');
  return existsSync(join(folder, 'libblas.so.3')) ? folder : undefined;
}

/** Names of LibTorch's libraries to link, in order. */
export function librariesOf(libtorch) {
  const present = new Set(readdirSync(libtorch.lib));
  return ['torch', 'torch_cpu', 'c10', 'torch_cuda', 'c10_cuda'].filter((name) =>
    present.has(`lib${name}.${library}`),
  );
}

/** What to do where no LibTorch was found: the commands for each kind of machine. */
export const libtorchAdvice = `LibTorch: expected LIBTORCH, the torch of an active Python or the system's, got none. Do one of:
  Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y libtorch-dev libopenblas0-openmp libjpeg-dev
  macOS:           brew install pytorch
  Python:          python3 -m venv .venv && . .venv/bin/activate && pip install torch
  LibTorch zip:    download it from https://pytorch.org/get-started/locally/ (C++/Java, cxx11 ABI), unzip it, and
                   export LIBTORCH=/path/to/libtorch
Then run the same command again.`;
