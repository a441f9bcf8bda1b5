/** What `carryover study` says of plans, runs and results. */
import type { TextTable } from '../figures/index.ts';
import type { Plan, PlannedRun, RateChoice, Report, RunOutcome, RunState } from '../study/index.ts';
import type { Output } from './output.ts';
import { formatDuration } from './progress.ts';

export function describeSharing({ runs }: Plan): string {
  const target = runs.find(({ role }) => role === 'target');
  return `${target?.parallel} at once, ${target?.config.training.threads} thread(s) each`;
}

/** The line that tells of a run's end. */
export function describeOutcome(outcome: RunOutcome, title: string): string {
  switch (outcome.kind) {
    case 'done': {
      const result = outcome.record?.result;
      if (!result) return `done     ${title}`;
      const { value, reason } = result.test.primary;
      const metric = value === undefined ? `undefined (${reason})` : value.toFixed(3);
      return `done     ${title}: ${result.test.metric} ${metric} in ${formatDuration(result.wallSeconds)}`;
    }
    case 'failed':
      return `failed   ${title}: ${outcome.reason}`;
    case 'blocked':
      return `blocked  ${title}: ${outcome.reason}`;
    case 'stopped':
      return `stopped  ${title}`;
  }
}

export function describeRunning(states: readonly RunState[]): string {
  const running = states.filter(({ status }) => status === 'running');
  return running
    .map(({ run, record }) => {
      const name = `${run.model} ${run.role === 'source' ? 'source' : `${run.init} ${run.seed}`}`;
      return record ? `${name} @ ${record.progress.iteration}` : name;
    })
    .join(', ');
}

/** A run's state as JSON documents give it. */
export function describeState({ run, status, record, reason }: RunState) {
  const primary = record?.result?.test.primary;
  return {
    id: run.id,
    role: run.role,
    data: run.data,
    model: run.model,
    init: run.init,
    seed: run.seed,
    from: run.from,
    variant: run.variant,
    source: run.source,
    status,
    reason,
    heartbeat: record?.heartbeat,
    iteration: record?.progress.iteration,
    metric: record?.result?.test.metric,
    value: primary?.value,
    undefinedReason: primary?.reason,
  };
}

/** @param initLabel of the study module, which is loaded late */
export function showStates(
  states: readonly RunState[],
  output: Output,
  initLabel: (run: PlannedRun) => string,
): void {
  output.table({
    columns: ['run', 'status', 'data', 'model', 'init', 'seed', 'result'],
    rows: states.map(({ run, status, record, reason }) => [
      run.id,
      status,
      run.data,
      run.model,
      initLabel(run),
      run.seed,
      describeResult({ run, status, record, reason }),
    ]),
  });
}

function describeResult({ status, record, reason }: RunState): string | undefined {
  if (status === 'done' && record?.result) {
    const { metric, primary } = record.result.test;
    return `${metric} ${primary.value?.toFixed(3) ?? `undefined (${primary.reason})`}`;
  }
  if (reason) return status === 'waiting' ? `waits for ${reason}` : reason;
  return record && status !== 'waiting' ? `iteration ${record.progress.iteration}` : undefined;
}

/** Table 1 and what to know of it, the best learning rates where the study searched for them, and what failed. */
export function showReport(
  { columns, rows, notes }: TextTable,
  { states, rates }: Pick<Report, 'states' | 'rates'>,
  output: Output,
): void {
  output.line();
  output.table({ columns, rows });
  for (const note of notes) output.line(`note: ${note}`);
  if (rates.length > 0) showRates(rates, output);
  for (const { run, status, reason } of states) {
    if (status === 'failed') output.line(`failed: ${run.id}: ${reason}`);
  }
}

/** The best rate of every setting, by the validation metric. */
function showRates(rates: readonly RateChoice[], output: Output): void {
  const hasSources = rates.some(({ source }) => source !== undefined);
  output.line();
  output.table({
    columns: [
      'data',
      'model',
      ...(hasSources ? ['source'] : []),
      'init',
      'best learning rate',
      'validation',
      'note',
    ],
    rows: rates.map(({ data, model, source, init, best, note }) => [
      data,
      model,
      ...(hasSources ? [source] : []),
      init,
      best?.learningRate,
      best?.validation?.toFixed(3),
      note,
    ]),
  });
}

export function describeReport(
  plan: Plan,
  { table, rows, states, comparisons, curves, rates, notes }: Report,
) {
  return {
    study: plan.name,
    folder: plan.folder,
    results: rows,
    cells: table.cells,
    gains: table.comparisons,
    comparisons,
    curves,
    ...(rates.length > 0 ? { learningRates: rates } : {}),
    notes,
    runs: states.map(describeState),
  };
}
