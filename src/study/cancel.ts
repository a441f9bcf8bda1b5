/** Stopping a study from outside: its runners on this machine, by the notes they leave, and its jobs. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type Owner, ownerSchema, thisProcess } from '../results/index.ts';
import { writeJson } from '../util/index.ts';
import { cancel } from './executors/slurmCommands.ts';
import { findLiveTasks } from './executors/slurmStudy.ts';

const runnersFolder = (folder: string): string => join(folder, 'runners');

/** Leaves a note of this process in the study's folder. @returns takes it away again */
export async function registerRunner(folder: string): Promise<() => Promise<void>> {
  const owner = thisProcess();
  await mkdir(runnersFolder(folder), { recursive: true });
  const path = join(runnersFolder(folder), `${owner.host}-${owner.pid}.json`);
  await writeJson(path, owner);
  return () => rm(path, { force: true });
}

function lives(owner: Owner): boolean {
  return isAlive({ status: 'running', owner, heartbeat: new Date().toISOString() });
}

/** The runners that left a note. Notes of processes that are gone are removed. */
async function findRunners(folder: string): Promise<Owner[]> {
  const names = await readdir(runnersFolder(folder)).catch(() => []);
  const runners: Owner[] = [];
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const path = join(runnersFolder(folder), name);
    const text = await readFile(path, 'utf8').catch(() => '');
    const parsed = ownerSchema.safeParse(parseJson(text));
    const known = parsed.success && (parsed.data.host !== hostname() || lives(parsed.data));
    if (known) runners.push(parsed.data);
    else await rm(path, { force: true });
  }
  return runners;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface Cancelled {
  /** Runners on this machine that were stopped. */
  stopped: Owner[];
  /** Those that had not ended in time. */
  going: Owner[];
  /** Those on other machines, which cannot be reached from here. */
  elsewhere: Owner[];
  /** Slurm jobs that were cancelled: `12_3`. */
  jobs: string[];
}

/**
 * Stops a study: asks its runners on this machine to stop at a step boundary, waits for them, and
 * cancels its jobs in Slurm. What is finished stays, what was begun can be gone on with.
 * @param patienceSeconds for the runners to end
 * @throws WorkError where there are jobs and Slurm does not answer
 */
export async function cancelStudy(folder: string, patienceSeconds = 120): Promise<Cancelled> {
  const runners = await findRunners(folder);
  const here = runners.filter(({ host }) => host === hostname());
  for (const { pid } of here) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
  }
  const until = Date.now() + patienceSeconds * 1000;
  while (here.some(lives) && Date.now() < until) await delay(100);
  const jobs = await cancelJobs(folder);
  return {
    stopped: here.filter((owner) => !lives(owner)),
    going: here.filter(lives),
    elsewhere: runners.filter(({ host }) => host !== hostname()),
    jobs,
  };
}

async function cancelJobs(folder: string): Promise<string[]> {
  const live = await findLiveTasks(folder);
  const jobs = live.map(({ job, task }) => `${job}_${task}`);
  if (jobs.length > 0) await cancel(jobs);
  return jobs;
}
