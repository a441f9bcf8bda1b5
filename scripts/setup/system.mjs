// LibTorch on the machine: finds it, and on Debian and Ubuntu installs it where that needs no
// question (as root, or with a sudo that asks for no password).

import { findLibtorch, libtorchAdvice, systemOpenblas } from './libtorch.mjs';
import { ask, capture, findCommand, SetupError, say } from './process.mjs';

const oldest = [1, 13];

/** LibTorch, its BLAS, and what makes the first reading of JPEG files faster. */
const packages = ['libtorch-dev', 'libopenblas0-openmp', 'libjpeg-dev'];

/** Finds LibTorch or installs it. @throws {SetupError} with the commands to type otherwise */
export async function ensureLibtorch() {
  let libtorch = findLibtorch();
  if (!libtorch) {
    const apt = aptCommand();
    if (!apt) throw new SetupError(libtorchAdvice);
    say(`no LibTorch found: installing ${packages.join(', ')} with apt-get`);
    say('  this takes a few minutes, once');
    await install(apt, packages);
    libtorch = findLibtorch();
    if (!libtorch) throw new SetupError(libtorchAdvice);
  }
  const [major = 0, minor = 0] = libtorch.version.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new SetupError(
      `LibTorch: expected version ${oldest.join('.')} or newer, got ${libtorch.version} in ${libtorch.place} ` +
        '(set LIBTORCH to a newer one, or activate a Python that has a newer torch)',
    );
  }
  await ensureOpenblas(libtorch);
  return libtorch;
}

// A system LibTorch takes its BLAS from the system, and the reference BLAS that comes with it by
// default trains a vision transformer fifty times slower than OpenBLAS.
async function ensureOpenblas(libtorch) {
  if (libtorch.kind !== 'system' || !findCommand('apt-get') || systemOpenblas(libtorch)) return;
  const apt = aptCommand();
  if (!apt) {
    say('libopenblas0-openmp is missing and LibTorch will be slow without it:');
    say('  sudo apt-get install -y libopenblas0-openmp');
    return;
  }
  say('installing libopenblas0-openmp with apt-get (the reference BLAS is many times slower)');
  await install(apt, ['libopenblas0-openmp']);
}

/** The start of an apt-get command line that asks nothing, or undefined where there is none. */
function aptCommand() {
  if (!findCommand('apt-get')) return undefined;
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  if (process.getuid?.() === 0) return quiet;
  return ask('sudo', ['-n', 'true']) === undefined ? undefined : ['sudo', '-n', ...quiet];
}

async function install([command, ...args], packages) {
  const steps = [
    ['-qq', 'update'],
    ['-qq', '-y', '--no-install-recommends', 'install', ...packages],
  ];
  for (const step of steps) {
    const { code, output } = await capture(command, [...args, ...step]);
    if (code !== 0) {
      const line = ['apt-get', ...step].join(' ');
      throw new SetupError(
        `${line}: expected exit code 0, got ${code}:\n${output}\n${libtorchAdvice}`,
      );
    }
  }
}
