/** Whose a run is: which process trains it, and whether that process still lives. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Owner, RunRecord } from './run.ts';

/** Without a sign of life for so long, a process on another machine is taken to be gone. */
export const HEARTBEAT_LIMIT_SECONDS = 600;

/** This process, as an owner. */
export function thisProcess(): Owner {
  const processStart = startOfProcess(process.pid);
  return { pid: process.pid, host: hostname(), ...(processStart ? { processStart } : {}) };
}

/**
 * Whether the process that a running record names still works on it: on this machine, by asking the
 * system for that process; elsewhere, by the age of the heartbeat.
 * @param now milliseconds since 1970.
 */
export function isAlive(
  record: Pick<RunRecord, 'status' | 'owner' | 'heartbeat'>,
  now = Date.now(),
): boolean {
  const { owner } = record;
  if (record.status !== 'running' || !owner) return false;
  if (owner.host !== hostname()) {
    return now - Date.parse(record.heartbeat) < HEARTBEAT_LIMIT_SECONDS * 1000;
  }
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const start = startOfProcess(owner.pid);
  return start === undefined || owner.processStart === undefined || start === owner.processStart;
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
