/**
 * A study's findings as one document ({@link StudySummary}), from the files of its folder alone: nothing
 * here opens data or loads LibTorch. Each file is read once, many at a time.
 */
import { readFile } from 'node:fs/promises';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse } from 'yaml';
import {
  type Axes,
  type DataSummary,
  type EvaluationLine,
  type LearningCurve,
  type ResultRow,
  type RunCost,
  type RunRecord,
  readEvaluations,
  type StudyCost,
  type StudyEnvironment,
  type StudySummary,
} from '../results/index.ts';
import { CarryoverError, mapBounded, mean } from '../util/index.ts';
import { aggregate } from './aggregate.ts';
import { type AnalysisValue, readAnalyses } from './analysisTable.ts';
import { compareInits, studyCurves } from './comparisons.ts';
import { folderBytes } from './disk.ts';
import { readFrechet } from './fid.ts';
import type { Plan } from './plan.ts';
import { type PlannedRun, runTitle, studyPaths } from './run.ts';
import { type RunState, readStates } from './state.ts';
import { GRID_VARIANT, modelLabels, tableRows } from './tableRows.ts';

/** Runs whose files are read at once. */
const RUNS_AT_ONCE = 32;

/** A run that is done, with what its record says. */
interface FinishedRun {
  run: PlannedRun;
  record: RunRecord;
  result: NonNullable<RunRecord['result']>;
}

/** Reads what is finished and brings it together; writes nothing. */
export async function readSummary(
  plan: Plan,
  known?: readonly RunState[],
  onValue?: (value: AnalysisValue) => void,
): Promise<StudySummary> {
  const states = known ?? (await readStates(plan.folder, plan.runs));
  const finished = finishedOf(states);
  const paths = studyPaths(plan.folder);
  const warnings = new Warnings();
  for (const { record } of finished) warnings.add(record.warnings);

  const files = await mapBounded(finished, RUNS_AT_ONCE, async ({ run }) => {
    const folder = paths.run(run.id);
    const [log, bytes] = await Promise.all([readLogOf(folder), folderBytes(folder, MODEL_CARD)]);
    return { ...log, bytes };
  });
  for (const { problems } of files) warnings.add(problems);
  const rows = referTo(
    finished.map(rowOf),
    files.map(({ evaluations }) => evaluations),
  );
  const targets = tableRows(rows, plan);
  const axes = axesOf(plan);
  const table = aggregate(targets, axes);
  const analyses = await readAnalyses(plan, states, undefined, onValue);
  for (const warning of analyses.warnings) warnings.add([warning]);
  const { settings, problem } = await readSettings(paths.study);
  if (problem) warnings.add([problem]);
  const { description } = settings;
  return {
    name: plan.name,
    ...(typeof description === 'string' ? { description } : {}),
    folder: plan.folder,
    planned: plan.runs.length,
    axes,
    data: await Promise.all(
      table.data.map(async (data) => ({
        ...data,
        ...dataFacts(finished, data.name),
        ...partOf(plan, data.name),
        ...(await frechetOf(plan, data.name)),
        ...(await countClasses(paths.splits(data.name))),
      })),
    ),
    models: table.models,
    ...sourceOf(plan),
    rows,
    table,
    comparisons: compareInits(targets, axes),
    curves: studyCurves(targets),
    findings: analyses.rows,
    learningCurves: finished.flatMap((one, at) =>
      learningCurves(one, plan, files[at]?.evaluations ?? []),
    ),
    cost: costOf(
      finished,
      files.map(({ bytes }) => bytes),
    ),
    environment: environmentOf(finished),
    unfinished: states.flatMap(({ run, status, reason }) =>
      status === 'done'
        ? []
        : [{ runId: run.id, title: runTitle(run), status, ...(reason ? { reason } : {}) }],
    ),
    warnings: warnings.list(),
    settings,
    ...newestOf(finished),
  };
}

const finishedOf = (states: readonly RunState[]): FinishedRun[] =>
  states.flatMap(({ run, status, record }) =>
    status === 'done' && record?.result ? [{ run, record, result: record.result }] : [],
  );

/** Texts that runs gave, each once, and how many gave it, in the order in which they first came. */
class Warnings {
  readonly #runs = new Map<string, number>();

  /** What one run or analysis warned of. */
  add(texts: readonly string[]): void {
    for (const text of new Set(texts)) this.#runs.set(text, (this.#runs.get(text) ?? 0) + 1);
  }

  list(): { text: string; runs: number }[] {
    return [...this.#runs].map(([text, runs]) => ({ text, runs }));
  }
}

function rowOf({ run, record, result }: FinishedRun): ResultRow {
  const { value, reason } = result.test.primary;
  return {
    runId: run.id,
    data: run.data,
    samples: run.samples,
    model: run.model,
    parameters: record.parameters,
    init: run.role === 'source' ? 'source' : run.init,
    seed: run.seed,
    source: run.from,
    variant: run.role === 'grid' ? GRID_VARIANT : run.variant,
    metric: result.test.metric,
    testMetric: value,
    undefinedReason: reason,
    validationMetric: result.validation.primary.value,
    iterationsToBest: result.iterationsToBest,
    iterations: result.iterations,
    imagesPerSecond: result.imagesPerSecond,
    wallSeconds: result.wallSeconds,
    trainingSeconds: result.trainingSeconds,
    evaluationSeconds: result.evaluationSeconds,
    savingSeconds: result.savingSeconds,
    peakMemoryBytes: result.peakMemoryBytes,
    deviceUtilisation: result.deviceUtilisation,
    precision: record.resolved?.precision ?? record.config.training.precision,
    device: record.resolved?.device,
    threads: record.resolved?.threads,
    learningRate: record.resolved?.learningRate,
    weights: run.source ?? record.weights?.sha256,
    skippedImages: record.data?.skipped.length,
  };
}

/** First iteration at which an evaluation reached `level`; `undefined` where none did. */
export function firstToReach(
  evaluations: readonly Pick<EvaluationLine, 'iteration' | 'value'>[],
  level: number,
): number | undefined {
  return evaluations.find(({ value }) => value !== undefined && value >= level)?.iteration;
}

/** The rows of all finished runs, in the plan's order: what `results.csv` is made of. */
export async function readRows(plan: Plan, states: readonly RunState[]): Promise<ResultRow[]> {
  const finished = finishedOf(states);
  const paths = studyPaths(plan.folder);
  const logs = await mapBounded(finished, RUNS_AT_ONCE, ({ run }) => readLogOf(paths.run(run.id)));
  return referTo(
    finished.map(rowOf),
    logs.map(({ evaluations }) => evaluations),
  );
}

/** The rows with the iterations after which each had reached the best of the RI run like it. */
function referTo(
  rows: readonly ResultRow[],
  evaluations: readonly (readonly EvaluationLine[])[],
): ResultRow[] {
  const like = ({ data, model, seed }: ResultRow): string => [data, model, seed].join('\n');
  const levels = new Map(
    rows
      .filter(({ init, variant }) => init === 'ri' && variant === undefined)
      .map((row) => [like(row), row.validationMetric]),
  );
  return rows.map((row, at) => {
    const level = levels.get(like(row));
    if (level === undefined || row.init === 'source') return row;
    return { ...row, iterationsToReference: firstToReach(evaluations[at] ?? [], level) };
  });
}

/** A log that cannot be read costs the run its curve, not the study its report. */
async function readLogOf(
  folder: string,
): Promise<{ evaluations: EvaluationLine[]; problems: string[] }> {
  try {
    return { evaluations: await readEvaluations(folder), problems: [] };
  } catch (error) {
    if (!(error instanceof CarryoverError)) throw error;
    return { evaluations: [], problems: [error.message] };
  }
}

/** The curve of a target run, or of a variant under a constant learning rate; of no other. */
function learningCurves(
  { run, record, result }: FinishedRun,
  plan: Plan,
  evaluations: readonly EvaluationLine[],
): LearningCurve[] {
  const { schedule } = record.config.training;
  const isCurve = run.role === 'target' || (run.role === 'variant' && schedule === 'constant');
  if (!isCurve || evaluations.length === 0) return [];
  const points = evaluations.map(({ iteration, value, loss, learningRate }) => ({
    iteration,
    ...(value === undefined ? {} : { value }),
    loss,
    learningRate,
  }));
  const { data, init, seed } = run;
  const { metric } = result.validation;
  return modelLabels(run, plan).map((model) => ({
    data,
    model,
    init,
    seed,
    metric,
    schedule,
    points,
  }));
}

function axesOf({ data, models, inits, initsOf, seeds }: Plan): Axes {
  return { data, models, inits, ...(initsOf ? { initsOf } : {}), seeds };
}

/** What the runs say of a data set. */
function dataFacts(finished: readonly FinishedRun[], name: string): Partial<DataSummary> {
  const found = finished.find(({ run, record }) => run.data === name && record.data)?.record.data;
  if (!found) return {};
  return { counts: found.counts, task: found.task, classes: found.classes };
}

async function frechetOf(
  { folder, sources, partOf: parts }: Plan,
  name: string,
): Promise<Pick<DataSummary, 'frechet'>> {
  const frechet = await readFrechet(folder, parts?.[name] ?? name, sources);
  return frechet ? { frechet } : {};
}

function partOf({ partOf: parts }: Plan, name: string): Pick<DataSummary, 'partOf'> {
  const whole = parts?.[name];
  return whole === undefined ? {} : { partOf: whole };
}

/** Images by class and split, from the study's split file; nothing where it cannot be read. */
async function countClasses(path: string): Promise<Pick<DataSummary, 'classCounts'>> {
  let rows: unknown;
  try {
    rows = parseCsv(await readFile(path), { columns: true, bom: true });
  } catch {
    return {};
  }
  const counts = new Map<string, { name: string; train: number; val: number; test: number }>();
  for (const row of Array.isArray(rows) ? rows : []) {
    const { class: classes, split }: Record<string, unknown> = Object(row);
    if (typeof classes !== 'string') return {};
    if (split !== 'train' && split !== 'val' && split !== 'test') continue;
    // Labels of a multi-label sample stand between bars; none at all is no class.
    for (const name of classes.split('|').filter((text) => text !== '')) {
      const count = counts.get(name) ?? { name, train: 0, val: 0, test: 0 };
      count[split]++;
      counts.set(name, count);
    }
  }
  const classCounts = [...counts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return classCounts.length > 0 ? { classCounts } : {};
}

/** The source domain; of several, their names alone. */
function sourceOf({ runs }: Plan): Pick<StudySummary, 'source'> {
  const sources = runs.filter(({ role }) => role === 'source');
  const names = [...new Set(sources.map(({ data }) => data))];
  const [first] = sources;
  if (!first) return {};
  if (names.length > 1) return { source: { name: names.join(', ') } };
  return { source: { name: first.data, samples: first.samples } };
}

/** Mean of what is there; `undefined` of nothing. */
function meanOf(values: readonly number[]): number | undefined {
  return values.length > 0 ? mean(values) : undefined;
}

function costOf(finished: readonly FinishedRun[], bytes: readonly number[]): StudyCost {
  const models = [...new Set(finished.map(({ run }) => run.model))];
  return {
    ...runCost(finished),
    diskBytes: bytes.reduce((sum, size) => sum + size, 0),
    byModel: models.map((model) => {
      const own = finished.filter(({ run }) => run.model === model);
      return {
        model,
        ...runCost(own),
        imagesPerSecond: meanOf(own.map(({ result }) => result.imagesPerSecond)),
      };
    }),
  };
}

function runCost(runs: readonly FinishedRun[]): RunCost {
  const peak = runs.reduce((most, { result }) => Math.max(most, result.peakMemoryBytes), 0);
  return {
    runs: runs.length,
    runSeconds: runs.reduce((sum, { result }) => sum + result.wallSeconds, 0),
    ...sumOf(runs, 'trainingSeconds'),
    ...sumOf(runs, 'evaluationSeconds'),
    ...sumOf(runs, 'savingSeconds'),
    ...utilisationOf(runs),
    ...(runs.length > 0 ? { peakMemoryBytes: peak } : {}),
  };
}

/** The sum over the runs; none where some run did not count it, which would be too little. */
function sumOf(
  runs: readonly FinishedRun[],
  name: 'trainingSeconds' | 'evaluationSeconds' | 'savingSeconds',
): Partial<StudyCost> {
  const values = runs.flatMap(({ result }) => result[name] ?? []);
  if (values.length === 0 || values.length < runs.length) return {};
  return { [name]: values.reduce((sum, value) => sum + value, 0) };
}

/** Over the wall time of the runs that know theirs. */
function utilisationOf(runs: readonly FinishedRun[]): { deviceUtilisation?: number } {
  const known = runs.flatMap(({ result: { deviceUtilisation, wallSeconds } }) =>
    deviceUtilisation === undefined ? [] : [{ deviceUtilisation, wallSeconds }],
  );
  const wall = known.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0);
  if (wall === 0) return {};
  const busy = known.reduce((sum, one) => sum + one.deviceUtilisation * one.wallSeconds, 0);
  return { deviceUtilisation: busy / wall };
}

/** What the report itself puts into a run's folder: to count it would make the second report differ. */
const MODEL_CARD = 'model-card.md';

function environmentOf(finished: readonly FinishedRun[]): StudyEnvironment {
  const versions = new Map<string, Set<string>>();
  for (const { record } of finished) {
    for (const [name, version] of Object.entries(record.versions)) {
      const known = versions.get(name) ?? new Set();
      versions.set(name, known.add(String(version)));
    }
  }
  const resolved = finished.flatMap(({ record }) => record.resolved ?? []);
  return {
    precisions: distinct(resolved.map(({ precision }) => precision)),
    devices: distinct(resolved.map(({ device, deviceName }) => deviceName ?? device)),
    threads: distinct(resolved.map(({ threads }) => threads)),
    versions: Object.fromEntries([...versions].map(([name, all]) => [name, [...all].sort()])),
  };
}

function distinct<T extends string | number>(values: readonly T[]): T[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
}

/** The resolved study, every default written out. */
async function readSettings(
  path: string,
): Promise<{ settings: Record<string, unknown>; problem?: string }> {
  try {
    const value: unknown = parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { settings: Object.fromEntries(Object.entries(value)) };
    }
    return { settings: {}, problem: `${path}: expected the resolved study, got something else` };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { settings: {}, problem: `${path}: expected the resolved study, got ${reason}` };
  }
}

function newestOf(finished: readonly FinishedRun[]): Pick<StudySummary, 'newest'> {
  const ends = finished.flatMap(({ record }) => record.finishedAt ?? []).sort();
  const newest = ends.at(-1);
  return newest === undefined ? {} : { newest };
}
