/** The program as a process of its own, from source. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { startable } from '../../src/util/index.ts';

const main = startable('../../src/cli/main', import.meta.url);

export interface Started {
  /** What it has printed there so far. */
  stderr(): string;
  /** Its exit code. */
  ended: Promise<number | null>;
}

/** @param environment on top of this process's own */
export function startProgram(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Started {
  const child = spawn(process.execPath, [...main.execArgv, main.path, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  return { stderr: () => stderr, ended: new Promise((done) => child.once('close', done)) };
}

export async function runProgram(
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...main.execArgv, main.path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
