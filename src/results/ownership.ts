/** Whose a run is: which process trains it, and whether that process still lives. */
import { readFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { errorCode } from '../util/index.ts';
import type { Owner, RunRecord } from './run.ts';

/** Without a sign of life for so long, a process on another machine is taken to be gone. */
export const HEARTBEAT_LIMIT_SECONDS = 600;

/** This process, as an owner. */
export function thisProcess(): Owner {
  const processStart = startOfProcess(process.pid);
  const job = slurmJob();
  return {
    pid: process.pid,
    host: hostname(),
    ...(processStart ? { processStart } : {}),
    ...(job ? { job } : {}),
  };
}

/** The Slurm job that this process runs in. */
function slurmJob(): string | undefined {
  const { SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: task, SLURM_JOB_ID: job } = process.env;
  return array && task ? `${array}_${task}` : job;
}

/**
 * Whether a Slurm job is over for certain: it was said so when this process was started, or it is this
 * process' own job, which Slurm has started again.
 */
function isEndedJob(job: string): boolean {
  return job === slurmJob() || (process.env.CARRYOVER_ENDED_JOBS ?? '').split(' ').includes(job);
}

/**
 * Whether the process that a running record names still works on it: on this machine, by asking the
 * system for that process, so that a machine that was suspended finds its own runs alive; elsewhere, by
 * the age of the heartbeat, unless its Slurm job is known to be over. A machine of this one's name whose
 * boot is another is this one before it was started again, unless it gave a sign of life since. Where
 * the system does not say when a process started, its number may have been given to another: then a
 * heartbeat is asked for too.
 * @param now milliseconds since 1970.
 */
export function isAlive(
  record: Pick<RunRecord, 'status' | 'owner' | 'heartbeat'>,
  now = Date.now(),
): boolean {
  const { owner } = record;
  if (record.status !== 'running' || !owner) return false;
  const heard = Date.parse(record.heartbeat);
  const isRecent = now - heard < HEARTBEAT_LIMIT_SECONDS * 1000;
  if (owner.host !== hostname()) {
    if (owner.job !== undefined && isEndedJob(owner.job)) return false;
    return isRecent;
  }
  const [boot, ownBoot] = [bootOf(owner.processStart), bootOf(startOfProcess(process.pid))];
  if (boot !== undefined && ownBoot !== undefined && boot !== ownBoot) {
    return isRecent && heard > Date.now() - uptime() * 1000;
  }
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if (errorCode(error) !== 'EPERM') return false;
  }
  const start = startOfProcess(owner.pid);
  if (start === undefined || owner.processStart === undefined) return isRecent;
  return start === owner.processStart;
}

/** The boot in what {@link startOfProcess} says. */
function bootOf(start: string | undefined): string | undefined {
  const end = start?.lastIndexOf('/') ?? -1;
  return end > 0 ? start?.slice(0, end) : undefined;
}

/**
 * Boot and start time of a process in Linux' own counts, `ended` for one that has ended but was not
 * collected by its parent; `undefined` on other systems.
 */
function startOfProcess(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields after the command name, which is in parentheses and may itself hold spaces: proc(5), field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return 'ended';
    return fields[19] === undefined ? undefined : `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}
