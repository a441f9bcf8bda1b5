/** How far a study is, and how long it will take. */

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
  const finished = states.flatMap(({ run, record }) =>
    record?.result ? [{ run, seconds: record.result.wallSeconds }] : [],
  );
  const typical = (run: PlannedRun): number | undefined => {
    const groups = [
      finished.filter((other) => settingOf(other.run) === settingOf(run)),
      finished.filter((other) => other.run.role === run.role && other.run.model === run.model),
      finished.filter((other) => other.run.model === run.model),
    ];
    const group = groups.find(({ length }) => length > 0);
    return group && mean(group.map(({ seconds }) => seconds));
  };
  let total = 0;
  for (const { run, status, record } of states) {
    if (status === 'done') continue;
    const seconds = typical(run);
    if (seconds === undefined) return undefined;
    const begun = status === 'running' && record ? (now - Date.parse(record.startedAt)) / 1000 : 0;
    total += Math.max(0, seconds - begun) / run.parallel;
  }
  return total;
}
