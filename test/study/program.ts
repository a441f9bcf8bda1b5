/** The program as a process of its own, from source. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { startable } from '../../src/util/index.ts';

const main = startable('../../src/cli/main', import.meta.url);

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
