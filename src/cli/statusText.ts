/** What `carryover study status` says. */
import type { Plan, RunState, StudyStatus } from '../study/index.ts';
import { formatTable } from './output.ts';
import { formatDuration } from './progress.ts';
import { describeState } from './studyText.ts';

/** Running and failed runs that are listed by default. */
const LISTED = 8;

/** `3 done, 1 running, 8 waiting`, with how long and how fast. */
export function statusLine({ name, runs }: Plan, status: StudyStatus): string {
  const counts = Object.entries(status.counts).flatMap(([state, count]) =>
    count > 0 ? [`${count} ${state}`] : [],
  );
  const parts = [`${name}: ${runs.length} runs: ${counts.join(', ')}`];
  if (status.imagesPerSecond !== undefined) {
    parts.push(`${formatRate(status.imagesPerSecond)} images/s`);
  }
  if (status.runsPerHour !== undefined) parts.push(`${formatRate(status.runsPerHour)} runs/hour`);
  if (!status.ended) {
    const { secondsToGo } = status;
    parts.push(
      secondsToGo === undefined
        ? 'time to go not known yet'
        : `about ${formatDuration(secondsToGo)} to go`,
    );
  }
  return parts.join('; ');
}

/** Where the running runs are, and what became of the failed ones. */
export function statusDetails(
  { running, failed, counts, queue }: StudyStatus,
  title: (state: StudyStatus['running'][number]['run']) => string,
  limit = LISTED,
): string[] {
  const lines: string[] = [];
  if (queue !== undefined) lines.push(queueLine(queue));
  if (running.length > 0) {
    lines.push(
      '',
      ...formatTable({
        columns: ['running', 'run', 'host', 'pid', 'iteration', 'of', 'images/s', 'last heard of'],
        rows: running
          .slice(0, limit)
          .map((one) => [
            one.run.id,
            title(one.run),
            one.host ?? 'starting',
            one.pid,
            one.iteration,
            one.maxIterations,
            one.imagesPerSecond === undefined ? undefined : formatRate(one.imagesPerSecond),
            one.heartbeatAge === undefined ? undefined : `${formatDuration(one.heartbeatAge)} ago`,
          ]),
      }),
      ...more(running.length, limit),
    );
  }
  if (failed.length > 0) {
    lines.push('', 'failed:');
    for (const { run, reason, at, lines: output } of failed.slice(0, limit)) {
      lines.push(`  ${run.id}  ${title(run)}${at ? `  (${at})` : ''}`, `    ${reason}`);
      for (const line of output) {
        if (line !== reason && line !== `error: ${reason}`) lines.push(`    | ${line}`);
      }
    }
    lines.push(...more(failed.length, limit));
  }
  if (counts.blocked > 0) {
    lines.push('', `${counts.blocked} runs are blocked: their source run failed`);
  }
  return lines;
}

/** `Slurm: 3 running, 12 pending (Resources 10, Priority 2)` */
function queueLine(queue: NonNullable<StudyStatus['queue']>): string {
  if (typeof queue === 'string') return `Slurm: ${queue}`;
  const { running, pending, reasons } = queue;
  const why = Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`);
  return `Slurm: ${running} running, ${pending} pending${pending > 0 ? ` (${why.join(', ')})` : ''}`;
}

function more(count: number, limit: number): string[] {
  return count > limit ? [`  … and ${count - limit} more: --all lists them`] : [];
}

/** `12`, `3.4`, `0.25`: two or three digits that count. */
function formatRate(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2);
}

/** The status as a JSON document. */
export function statusDocument(plan: Plan, states: readonly RunState[], status: StudyStatus) {
  const where = new Map(status.running.map(({ run, ...rest }) => [run.id, rest]));
  const failures = new Map(status.failed.map((failure) => [failure.run.id, failure]));
  const { counts, secondsToGo, imagesPerSecond, runsPerHour, queue, ended } = status;
  return {
    study: plan.name,
    folder: plan.folder,
    counts,
    ended,
    secondsToGo,
    imagesPerSecond,
    runsPerHour,
    queue,
    runs: states.map((state) => {
      const failure = failures.get(state.run.id);
      return {
        ...describeState(state),
        ...where.get(state.run.id),
        ...(failure ? { failedAt: failure.at, lastLines: failure.lines } : {}),
      };
    }),
  };
}
