/** The jobs of one study in Slurm's queue. */
import { RequestError } from '../../util/index.ts';
import { readBatches } from './slurmBatch.ts';
import { ClusterSilent, isOver, type QueuedTask, readQueue } from './slurmCommands.ts';

/** How the jobs of a study stand in the queue. */
export interface QueueStatus {
  running: number;
  pending: number;
  /** Why they are pending, in Slurm's words (`Resources`, `Priority`, `QOSMaxJobs…`), and how many are. */
  reasons: Record<string, number>;
}

/** Whoever asks for a status waits for it, in milliseconds. */
const STATUS_PATIENCE = 5000;

/**
 * Those jobs of a study that are not over; none where it never submitted any, without asking Slurm.
 * @throws ClusterSilent where Slurm does not answer in time
 * @throws RequestError where this machine has no Slurm
 */
export async function findLiveTasks(folder: string, patience?: number): Promise<QueuedTask[]> {
  const batches = await readBatches(folder);
  if (batches.length === 0) return [];
  const names = new Set(batches.map(({ name }) => name));
  const own = new Set(batches.map(({ job }) => job));
  return (await readQueue(patience)).filter(
    (task) => !isOver(task) && (names.has(task.name) || own.has(task.job)),
  );
}

/**
 * How a study's jobs stand; a text where Slurm does not answer. Undefined where it has none in the queue, and on
 * a machine that has the study's folder but no Slurm.
 */
export async function readQueueStatus(folder: string): Promise<QueueStatus | string | undefined> {
  try {
    const tasks = await findLiveTasks(folder, STATUS_PATIENCE);
    return tasks.length > 0 ? countTasks(tasks) : undefined;
  } catch (error) {
    if (error instanceof ClusterSilent) return error.message;
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

/** Everything that is not pending counts as running: it holds its place until Slurm has cleaned up. */
export function countTasks(tasks: readonly QueuedTask[]): QueueStatus {
  const pending = tasks.filter(({ states }) => states.includes('PENDING'));
  const reasons: Record<string, number> = {};
  for (const { reason } of pending) {
    const known = reason === '' || reason === 'None' ? 'not looked at yet' : reason;
    reasons[known] = (reasons[known] ?? 0) + 1;
  }
  return { running: tasks.length - pending.length, pending: pending.length, reasons };
}
