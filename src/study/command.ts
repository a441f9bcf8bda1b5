/** One command of the program as a child process, its output kept in a file. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { ChildProgram } from './executors/child.ts';

export interface CommandEnd {
  kind: 'done' | 'failed' | 'stopped';
  /** The last error line. */
  reason?: string;
}

/** As much of the output as a failure looks at. */
const OUTPUT_BYTES = 2048;

/** Runs it to its end; what it says on stderr is added to `log`. Aborting stops it. */
export async function runCommand(
  program: ChildProgram,
  args: readonly string[],
  log: string,
  signal?: AbortSignal,
): Promise<CommandEnd> {
  const console = await open(log, 'a+');
  try {
    const { size: begin } = await console.stat();
    if (signal?.aborted) return { kind: 'stopped' };
    const child = spawn(process.execPath, [...program.args, ...args], {
      // Ctrl-C reaches it through this process alone; the channel's end makes it stop.
      detached: true,
      stdio: ['ignore', 'ignore', console.fd, 'ipc'],
    });
    const stop = (): void => {
      child.kill('SIGTERM');
    };
    signal?.addEventListener('abort', stop, { once: true });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    }).finally(() => signal?.removeEventListener('abort', stop));
    if (code === 0) return { kind: 'done' };
    if (signal?.aborted) return { kind: 'stopped' };
    const { size } = await console.stat();
    const length = Math.min(OUTPUT_BYTES, Math.max(0, size - begin));
    const { buffer } = await console.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').trim().split('\n');
    const told = lines.filter((line) => line.startsWith('error: ')).at(-1) ?? lines.at(-1);
    return { kind: 'failed', reason: told?.replace(/^error: /, '') || `exit code ${code}` };
  } finally {
    await console.close();
  }
}
