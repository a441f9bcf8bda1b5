/** Where a study stands: counts, what is running and where, what failed and why, pace and time to go. */
import { open } from 'node:fs/promises';
import { type RunRecord, runPaths } from '../results/index.ts';
import { type QueueStatus, readQueueStatus } from './executors/slurmStudy.ts';
import { type PlannedRun, studyPaths } from './run.ts';
import { type RunState, readFailure } from './state.ts';
import { countStates, estimateSeconds } from './status.ts';

/** As run states, and `blocked`: waits for a source run that failed. */
export interface ProgressCounts {
  done: number;
  running: number;
  failed: number;
  interrupted: number;
  waiting: number;
  blocked: number;
}

export interface RunningRun {
  run: PlannedRun;
  /** Absent between the start of a process and its first record. */
  host?: string;
  pid?: number;
  iteration?: number;
  maxIterations?: number;
  /** Seconds since its last sign of life. */
  heartbeatAge?: number;
  imagesPerSecond?: number;
}

export interface FailedRun {
  run: PlannedRun;
  reason: string;
  /** ISO time. */
  at?: string;
  /** The last lines that its process printed. */
  lines: string[];
}

export interface StudyStatus {
  counts: ProgressCounts;
  /** Absent before a run like those to do has finished. */
  secondsToGo?: number;
  /** Of the running runs together. */
  imagesPerSecond?: number;
  /** Runs that ended in the last hour, or since the study began, by the hour; absent where none is running. */
  runsPerHour?: number;
  running: RunningRun[];
  failed: FailedRun[];
  /** The study's jobs in Slurm's queue, or why Slurm does not tell; absent where it has none. */
  queue?: QueueStatus | string;
  /** Nothing is running and nothing can be started: every run is done, failed or blocked. */
  ended: boolean;
}

/** As much of a log's end as holds its last line. */
const LOG_TAIL_BYTES = 4096;

/** Lines of output that are shown of a failed run. */
const ERROR_LINES = 3;

/** The pace is taken over this time. */
const PACE_SECONDS = 3600;

function isBlocked({ status, reason }: RunState): boolean {
  return status === 'waiting' && /^its source run \S+ failed$/.test(reason ?? '');
}

/** @param now milliseconds since 1970 */
export async function studyStatus(
  folder: string,
  states: readonly RunState[],
  now = Date.now(),
): Promise<StudyStatus> {
  const blocked = states.filter(isBlocked).length;
  const counted = countStates(states);
  const counts = { ...counted, waiting: counted.waiting - blocked, blocked };
  const running = await Promise.all(
    states
      .filter(({ status }) => status === 'running')
      .map(async ({ run, record }) => {
        const where = whereabouts(record, now);
        const logged = await lastIteration(runPaths(studyPaths(folder).run(run.id)).log);
        const iteration = Math.max(where.iteration ?? 0, logged);
        return { run, ...where, ...(iteration > 0 ? { iteration } : {}) };
      }),
  );
  const failed = await Promise.all(
    states
      .filter(({ status }) => status === 'failed')
      .map((state) => describeFailure(folder, state)),
  );
  const rates = running.flatMap(({ imagesPerSecond }) => imagesPerSecond ?? []);
  const secondsToGo = estimateSeconds(states, now);
  const ended = counts.running + counts.waiting + counts.interrupted === 0;
  const queue = ended ? undefined : await readQueueStatus(folder);
  const runsPerHour = running.length > 0 ? pace(states, now) : undefined;
  return {
    counts,
    ...(secondsToGo === undefined ? {} : { secondsToGo }),
    ...(rates.length > 0 ? { imagesPerSecond: rates.reduce((sum, rate) => sum + rate, 0) } : {}),
    ...(runsPerHour === undefined ? {} : { runsPerHour }),
    running,
    failed,
    ...(queue === undefined ? {} : { queue }),
    ended,
  };
}

function whereabouts(record: RunRecord | undefined, now: number): Omit<RunningRun, 'run'> {
  if (!record) return {};
  const { owner, progress, heartbeat } = record;
  const imagesPerSecond = progress.imagesPerSecond ?? meanRate(record);
  return {
    ...(owner ? { host: owner.host, pid: owner.pid } : {}),
    iteration: progress.iteration,
    ...(progress.maxIterations > 0 ? { maxIterations: progress.maxIterations } : {}),
    heartbeatAge: Math.max(0, (now - Date.parse(heartbeat)) / 1000),
    ...(imagesPerSecond === undefined ? {} : { imagesPerSecond }),
  };
}

/** The iteration of a log's last whole line: newer than the record, which is written every some seconds. */
async function lastIteration(path: string): Promise<number> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return 0;
  try {
    const { size } = await file.stat();
    const length = Math.min(size, LOG_TAIL_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').split('\n').slice(0, -1);
    return Number(/"iteration":(\d+)/.exec(lines.at(-1) ?? '')?.[1] ?? 0);
  } finally {
    await file.close();
  }
}

/** Images a second since the start, evaluations counted; of a run that was never interrupted. */
function meanRate({
  sessions,
  resolved,
  progress,
  startedAt,
  heartbeat,
}: RunRecord): number | undefined {
  const seconds = (Date.parse(heartbeat) - Date.parse(startedAt)) / 1000;
  if (sessions > 1 || !resolved || progress.iteration === 0 || seconds <= 0) return undefined;
  return (progress.iteration * resolved.batchSize) / seconds;
}

async function describeFailure(
  folder: string,
  { run, reason, record }: RunState,
): Promise<FailedRun> {
  const failure = await readFailure(folder, run.id).catch(() => undefined);
  const at = failure?.at ?? record?.heartbeat;
  const lines = (failure?.output ?? '')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return {
    run,
    reason: reason ?? 'no reason given',
    ...(at ? { at } : {}),
    lines: lines.slice(-ERROR_LINES),
  };
}

/** Finished runs by the hour, over the last hour or since the first run began. */
function pace(states: readonly RunState[], now: number): number | undefined {
  const started = states.flatMap(({ record }) => (record ? Date.parse(record.startedAt) : []));
  const first = started.reduce((least, time) => Math.min(least, time), now);
  const seconds = Math.min(PACE_SECONDS, (now - first) / 1000);
  if (seconds <= 0) return undefined;
  const since = now - seconds * 1000;
  const ended = states.filter(
    ({ record }) => record?.finishedAt !== undefined && Date.parse(record.finishedAt) >= since,
  );
  return ended.length === 0 ? undefined : (ended.length * 3600) / seconds;
}
