/** One run as a child process of its own. */
import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { writeJson } from '../../util/index.ts';
import { type PlannedRun, studyPaths } from '../run.ts';
import type { Attempt, AttemptEnd } from './executor.ts';

/** How to start the program: Node's arguments up to the `train` command. */
export interface ChildProgram {
  /** Options of Node and the script, for example `['bin/carryover.mjs']`. */
  args: string[];
}

export interface Child extends Attempt {
  pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
}

/** As much of a run's console as a failure keeps. */
const OUTPUT_BYTES = 4096;

/**
 * Starts `train --config … --out …`. The child leads a process group of its own, so that Ctrl-C
 * reaches it through the runner alone, and has a channel to the runner, whose end (the runner was
 * killed) makes it stop at a step boundary. Its output is added to the run's console.log.
 * @param gpu what CUDA_VISIBLE_DEVICES is to be for it
 */
export async function startChild(
  folder: string,
  run: PlannedRun,
  program: ChildProgram,
  gpu?: string,
): Promise<Child> {
  const paths = studyPaths(folder);
  await mkdir(paths.run(run.id), { recursive: true });
  await writeJson(paths.config(run.id), run.config);
  const console = await open(paths.console(run.id), 'a+');
  const { size: begin } = await console.stat();
  const args = [...program.args, 'train', '--config', paths.config(run.id), '--out'];
  const child = spawn(process.execPath, [...args, paths.run(run.id)], {
    detached: true,
    stdio: ['ignore', console.fd, console.fd, 'ipc'],
    env: {
      ...process.env,
      ...threadEnvironment(run),
      ...(gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpu }),
    },
  });
  const ended = new Promise<AttemptEnd>((resolve, reject) => {
    const finish = async (exitCode: number | null, signal: NodeJS.Signals | null) => {
      try {
        const { size } = await console.stat();
        const length = Math.min(OUTPUT_BYTES, Math.max(0, size - begin));
        const { buffer } = await console.read(Buffer.alloc(length), 0, length, size - length);
        const output = buffer.toString('utf8').trim();
        resolve({ exitCode, signal, output, ...(child.pid ? { pid: child.pid } : {}) });
      } finally {
        await console.close();
      }
    };
    child.once('error', (error) => {
      console.close().then(() => reject(error), reject);
    });
    child.once('exit', (exitCode, signal) => {
      finish(exitCode, signal).catch(reject);
    });
  });
  return { pid: child.pid, kill: (signal) => child.kill(signal), ended };
}

/** Thread counts for the libraries that read them from the environment. */
export function threadEnvironment(run: PlannedRun): NodeJS.ProcessEnv {
  const { threads } = run.config.training;
  return {
    ...(threads === 'auto' ? {} : { OMP_NUM_THREADS: String(threads) }),
    // Threads that spin while they wait take the cores from the other runs.
    ...(run.parallel > 1 ? { OMP_WAIT_POLICY: 'passive' } : {}),
  };
}
