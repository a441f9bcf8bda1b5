/** Whether two runs may be set against each other. */
import { RequestError } from '../util/index.ts';
import type { FinishedRun } from './finishedRun.ts';

/** What must be equal, by the name that the error gives it. */
const keys: readonly [name: string, of: (run: FinishedRun) => unknown][] = [
  ['model', ({ record }) => record.config.model],
  ['data', ({ data }) => data.identity],
  ['task', ({ data }) => [data.task, data.metric, data.classes]],
  ['splits', ({ data }) => data.splits],
  ['training.size', ({ resolved }) => resolved.size],
  ['training.resize', ({ resolved }) => resolved.resize],
  ['training.inputChannels', ({ record }) => record.config.training.inputChannels],
  ['training.normalize', ({ data }) => [data.mean, data.std]],
  ['skipped images', ({ data }) => data.skipped.map(({ file }) => file)],
];

/** Keys whose values a person can read. */
const shown = new Set(['model', 'training.size', 'training.resize', 'training.inputChannels']);

/** @throws RequestError that names every key in which the runs differ. */
export function requireComparable(run: FinishedRun, other: FinishedRun): void {
  const differing = keys.filter(([, of]) => JSON.stringify(of(run)) !== JSON.stringify(of(other)));
  if (differing.length === 0) return;
  const described = differing.map(([name, of]) =>
    shown.has(name) ? `${name} (${String(of(run))} and ${String(of(other))})` : name,
  );
  throw new RequestError({
    where: `${run.folder} against ${other.folder}`,
    expected: 'two runs of the same model, data and splits',
    got: `runs that differ in ${described.join(', ')}`,
    hint: 'compare runs of one study, which share their splits',
  });
}
