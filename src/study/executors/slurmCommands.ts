/** Slurm's own commands: sbatch, squeue, scancel, scontrol. Nothing here needs sacct. */
import { execFile } from 'node:child_process';
import { z } from 'zod';
import { CarryoverError, RequestError, WorkError } from '../../util/index.ts';

/** A command that has not answered by then never will, in milliseconds. */
const PATIENCE = 120_000;

/** The cluster does not answer now; it may later. */
export class ClusterSilent extends WorkError {}

/** What Slurm's commands say when the controller is away, busy or being restarted. */
const AWAY =
  /unable to contact|connect failure|connection (refused|timed out|reset)|timed out|not responding|zero bytes|communication|try again|temporarily|controller|slurm_persist_conn|protocol authentication|munge|submit ?limit|maxsubmit|unable to accept/i;

/** A task of an array, or a job of its own, as the queue shows it. */
export interface QueuedTask {
  /** Number of the array (of the job, without one). */
  job: string;
  task: number;
  name: string;
  /** Slurm's words: PENDING, RUNNING, COMPLETED, … */
  states: string[];
  reason: string;
  /** How often it was requeued. */
  restarts: number;
}

interface CallOptions {
  env?: NodeJS.ProcessEnv;
  /** Milliseconds. */
  patience?: number;
}

async function call(
  command: string,
  args: string[],
  { env = {}, patience = PATIENCE }: CallOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: patience,
      maxBuffer: 1 << 30,
      env: { ...process.env, ...env },
    };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) {
        resolve(stdout);
        return;
      }
      const said =
        stderr
          .trim()
          .split('\n')
          .at(-1)
          ?.replace(/^\w+: (error: )?/, '') ?? '';
      if (error.code === 'ENOENT') {
        reject(
          new RequestError({
            where: 'executor slurm',
            expected: `Slurm's ${command} on this machine`,
            got: 'no such command',
            hint: 'start the study on a login node of the cluster, or use --executor local',
          }),
        );
      } else if (error.killed || AWAY.test(stderr)) {
        const got = said || 'no answer';
        reject(new ClusterSilent({ where: command, expected: 'an answer of Slurm', got }));
      } else {
        reject(
          new RequestError({
            where: command,
            expected: 'a job that Slurm takes',
            got: said || `exit code ${error.code}`,
            hint: 'see executor in the study file',
          }),
        );
      }
    });
  });
}

/** Submits a job script. @returns the job's number. */
export async function submit(script: string): Promise<string> {
  const text = await call('sbatch', ['--parsable', script]);
  // On a federation the cluster's name follows.
  const job = text.trim().split(';')[0] ?? '';
  if (/^\d+$/.test(job)) return job;
  throw new WorkError({ where: 'sbatch', expected: 'the number of a job', got: text.slice(0, 80) });
}

/** Numbers are plain in older versions and objects in newer ones. */
const numberSchema = z
  .union([
    z.number(),
    z
      .object({ set: z.boolean().optional(), number: z.number() })
      .transform(({ set, number }) => (set === false ? null : number)),
    z.null(),
  ])
  .optional();

const queueSchema = z.object({
  errors: z
    .array(z.object({ description: z.string().nullish(), error: z.string().nullish() }))
    .nullish(),
  jobs: z.array(
    z.object({
      job_id: z.number(),
      array_job_id: numberSchema,
      array_task_id: numberSchema,
      array_task_string: z.string().nullish(),
      job_state: z.union([z.string(), z.array(z.string())]),
      name: z.string().nullish(),
      state_reason: z.string().nullish(),
      restart_cnt: numberSchema,
    }),
  ),
});

/**
 * The whole queue, with what ended a while ago.
 * @param patience milliseconds to wait for it
 * @throws ClusterSilent where Slurm does not answer.
 */
export async function readQueue(patience?: number): Promise<QueuedTask[]> {
  let text: string;
  try {
    // Slurm cuts the list of an array's waiting tasks after 64 characters unless told otherwise.
    text = await call('squeue', ['--json'], { env: { SLURM_BITSTR_LEN: '0' }, patience });
  } catch (error) {
    if (error instanceof RequestError && !error.message.includes('no such command')) {
      throw new ClusterSilent({
        where: 'squeue',
        expected: 'an answer of Slurm',
        got: error.message,
      });
    }
    throw error;
  }
  return parseQueue(text);
}

/**
 * Reads what `squeue --json` prints; Slurm 21.08 and later.
 * @throws ClusterSilent for anything that is not the whole queue
 */
export function parseQueue(text: string): QueuedTask[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = queueSchema.safeParse(value);
  if (!parsed.success) {
    throw new ClusterSilent({
      where: 'squeue --json',
      expected: 'the queue as JSON (Slurm 21.08 or later)',
      got: text.slice(0, 60) || 'nothing',
    });
  }
  // Without an answer of the controller it ends well, with an empty queue and this.
  const [fault] = parsed.data.errors ?? [];
  if (fault) {
    const got = [fault.description, fault.error].filter(Boolean).join(': ') || 'an error';
    throw new ClusterSilent({ where: 'squeue', expected: 'an answer of Slurm', got });
  }
  return parsed.data.jobs.flatMap((job) => {
    const common = {
      job: String(job.array_job_id || job.job_id),
      name: job.name ?? '',
      states: [job.job_state].flat(),
      reason: job.state_reason ?? '',
      restarts: job.restart_cnt ?? 0,
    };
    const waiting = job.array_task_string ? expandTasks(job.array_task_string) : [];
    const tasks = waiting.length > 0 ? waiting : [job.array_task_id ?? 0];
    return tasks.map((task) => ({ ...common, task }));
  });
}

/** The tasks of `0-3,7,10-20:5%4`. */
function expandTasks(text: string): number[] {
  return (text.split('%')[0] ?? '').split(',').flatMap((part) => {
    const found = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part.trim());
    if (!found) return [];
    const [first, last, step] = [found[1], found[2] ?? found[1], found[3] ?? 1].map(Number);
    const tasks: number[] = [];
    for (let task = first ?? 0; task <= (last ?? 0); task += step ?? 1) tasks.push(task);
    return tasks;
  });
}

const ENDED = new Set([
  'COMPLETED',
  'CANCELLED',
  'FAILED',
  'TIMEOUT',
  'PREEMPTED',
  'NODE_FAIL',
  'BOOT_FAIL',
  'DEADLINE',
  'OUT_OF_MEMORY',
  'REVOKED',
]);

/** Whether a task is over: no word of its state says that it waits, runs or is being cleaned up. */
export function isOver({ states }: QueuedTask): boolean {
  return states.every((state) => ENDED.has(state));
}

/** Cancels jobs or tasks: `12`, `12_3`. Those that are over already are no error. */
export async function cancel(jobs: readonly string[]): Promise<void> {
  // A command line has an end.
  for (let begin = 0; begin < jobs.length; begin += 500) {
    try {
      await call('scancel', [...jobs.slice(begin, begin + 500)]);
    } catch (error) {
      const gone = error instanceof CarryoverError && /invalid job id|already/i.test(error.message);
      if (!gone) throw error;
    }
  }
}

/** Lets a requeued task begin at once; Slurm makes it wait two minutes. A refusal does not matter. */
export async function beginNow(job: string): Promise<void> {
  await call('scontrol', ['update', `JobId=${job}`, 'StartTime=now']).catch(() => {});
}

/** As many tasks as an array may have. */
export async function largestArray(): Promise<number> {
  const text = await call('scontrol', ['show', 'config']);
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(text)?.[1]);
  return Number.isInteger(size) && size > 0 ? size : 1000;
}
