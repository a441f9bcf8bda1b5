/** One run as a child process of its own. */
import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { writeJson } from '../util/index.ts';
import { type PlannedRun, studyPaths } from './run.ts';

/** How to start the program: Node's arguments up to the `train` command. */
export interface ChildProgram {
  /** Options of Node and the script, for example `['bin/carryover.mjs']`. */
  args: string[];
}

export interface ChildExit {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines that this process wrote to its console file. */
  output: string;
}

export interface Child {
  pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<ChildExit>;
}

/** As much of a run's console as a failure keeps. */
const OUTPUT_BYTES = 4096;

/**
 * Starts `train --config … --out …`. The child leads a process group of its own, so that Ctrl-C
 * reaches it through the runner alone, and has a channel to the runner, whose end (the runner was
 * killed) makes it stop at a step boundary. Its output is added to the run's console.log.
 */
export async function startChild(
  folder: string,
  run: PlannedRun,
  program: ChildProgram,
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
    env: { ...process.env, ...threadEnvironment(run) },
  });
  const ended = new Promise<ChildExit>((resolve, reject) => {
    const finish = async (exitCode: number | null, signal: NodeJS.Signals | null) => {
      try {
        const { size } = await console.stat();
        const length = Math.min(OUTPUT_BYTES, Math.max(0, size - begin));
        const { buffer } = await console.read(Buffer.alloc(length), 0, length, size - length);
        resolve({ exitCode, signal, output: buffer.toString('utf8').trim() });
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
function threadEnvironment(run: PlannedRun): NodeJS.ProcessEnv {
  const { threads } = run.config.training;
  return {
    ...(threads === 'auto' ? {} : { OMP_NUM_THREADS: String(threads) }),
    // Threads that spin while they wait take the cores from the other runs.
    ...(run.parallel > 1 ? { OMP_WAIT_POLICY: 'passive' } : {}),
  };
}
