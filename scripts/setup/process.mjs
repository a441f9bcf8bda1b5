// Child processes and plain messages for the set-up scripts. Node builtins only: this code runs
// before anything is installed.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** An error whose message is meant for the user as it stands: no stack is printed for it. */
export class SetupError extends Error {}

/** Prints one line of progress. */
export function say(message) {
  process.stdout.write(`set-up: ${message}\n`);
}

/**
 * Runs a set-up script's main function: a `SetupError` ends the process with its message and exit
 * code 1, anything else with its stack.
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    const text = error instanceof SetupError ? error.message : (error.stack ?? String(error));
    process.stderr.write(`error: ${text}\n`);
    process.exitCode = 1;
  }
}

/** The full path of a command on PATH, or undefined. */
export function findCommand(name, path = process.env.PATH ?? '') {
  const folders = name.includes('/') ? [''] : path.split(delimiter).filter((folder) => folder);
  for (const folder of folders) {
    const file = folder ? join(folder, name) : name;
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here: look in the next folder.
    }
  }
  return undefined;
}

/** Runs a short command and returns its trimmed stdout, or undefined when it fails or is absent. */
export function ask(command, args, options = {}) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
    ...options,
  });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Runs a command with its output on ours. Throws a `SetupError` that names it when it fails. */
export async function run(command, args, options = {}) {
  const { code, signal } = await finish(
    spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      ...options,
    }),
    command,
  );
  if (code !== 0) {
    throw new SetupError(
      `${[command, ...args].join(' ')}: expected exit code 0, got ${signal ?? code}`,
    );
  }
}

/** Runs a command and returns its exit code with stdout and stderr together. */
export async function capture(command, args, options = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  let output = '';
  child.stdout?.on('data', (text) => {
    output += text;
  });
  child.stderr?.on('data', (text) => {
    output += text;
  });
  const { code, signal } = await finish(child, command);
  return {
    code: signal ? 1 : code,
    output: signal ? `${output}killed by ${signal}\n` : output,
  };
}

function finish(child, command) {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(new SetupError(`${command}: expected a command that starts, got ${error.message}`));
    });
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
}
