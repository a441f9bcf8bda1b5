/** How far a study is, and how long it will take. */

import type { RunRecord } from '../results/index.ts';
import { mean } from '../util/index.ts';
import type { PlannedRun } from './run.ts';
import type { RunState, RunStatus } from './state.ts';

export type StatusCounts = Record<RunStatus, number>;

export function countStates(states: readonly RunState[]): StatusCounts {
  const counts: StatusCounts = { done: 0, running: 0, failed: 0, interrupted: 0, waiting: 0 };
  for (const { status } of states) counts[status] += 1;
  return counts;
}

/** Runs that take about as long as each other: of one role, data set, model and initialisation. */
const settingOf = (run: PlannedRun): string =>
  [run.role, run.data, run.model, run.init, run.variant].join('\n');

/**
 * Seconds until all runs are done, from how long finished runs took: those of the same setting where
 * there are any, else of the same role and model, else of the same model. What a run that was begun
 * has behind it counts as done. `undefined` while a run that is to do has no finished run like it.
 * Failed runs count as to do.
 * @param now milliseconds since 1970
 */
export function estimateSeconds(states: readonly RunState[], now = Date.now()): number | undefined {
  const groupsOf = (run: PlannedRun): string[] => [
    settingOf(run),
    [run.role, run.model].join('\n'),
    run.model,
  ];
  const finished = new Map<string, number[]>();
  for (const { run, record } of states) {
    if (!record?.result) continue;
    for (const group of groupsOf(run)) {
      const seconds = finished.get(group);
      if (seconds) seconds.push(record.result.wallSeconds);
      else finished.set(group, [record.result.wallSeconds]);
    }
  }
  const typical = new Map([...finished].map(([group, seconds]) => [group, mean(seconds)]));
  let total = 0;
  for (const { run, status, record } of states) {
    if (status === 'done') continue;
    const known = groupsOf(run).find((group) => typical.has(group));
    const seconds = known === undefined ? undefined : typical.get(known);
    if (seconds === undefined) return undefined;
    const behind = status === 'running' && record ? secondsBehind(record, now) : 0;
    total += Math.max(0, seconds - behind) / run.parallel;
  }
  return total;
}

/** What a run that is going has behind it. One that was gone on with has also stood still: its steps count. */
function secondsBehind(
  { sessions, startedAt, progress, resolved }: RunRecord,
  now: number,
): number {
  if (sessions === 1) return (now - Date.parse(startedAt)) / 1000;
  const { iteration, imagesPerSecond } = progress;
  if (resolved === undefined || !imagesPerSecond) return 0;
  return (iteration * resolved.batchSize) / imagesPerSecond;
}
