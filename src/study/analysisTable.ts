/** What the analyses of a study's runs found, brought together over seeds: `analyses.csv`. */
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import {
  type AnalysisDocument,
  type AnalysisRow,
  analysisPaths,
  type CsvCell,
  formatCsv,
  type MeasureName,
  measureNames,
  readAnalysis,
} from '../results/index.ts';
import { CarryoverError } from '../util/index.ts';
import { pairsOf } from './analyses.ts';
import type { Plan } from './plan.ts';
import { type PlannedRun, studyPaths } from './run.ts';
import type { RunState } from './state.ts';
import { modelLabels } from './tableRows.ts';
import { statistic } from './transferCurve.ts';

/** One number of one analysis; absent where it is undefined. */
interface Finding {
  measure: string;
  /** Tap, or what else the number is of. */
  of: string;
  /** Embedding, head, or the other tap. */
  detail: string;
  value?: number;
}

/** What the analyses found, and what they warned of. */
export interface ReadAnalyses {
  rows: AnalysisRow[];
  /** One an analysis and warning; of files that cannot be read, why. */
  warnings: string[];
}

/** Runs whose analyses are read at once. */
const RUNS_AT_ONCE = 32;

/**
 * Mean, deviation and interval over seeds of every number of every analysis that is there. An analysis
 * that cannot be read becomes a warning.
 */
export async function readAnalyses(
  plan: Plan,
  states: readonly RunState[],
  measures: readonly MeasureName[] = measureNames,
): Promise<ReadAnalyses> {
  const done = states.filter(({ status, run }) => status === 'done' && run.role === 'target');
  const partners = new Map(
    pairsOf(done.map(({ run }) => run)).map(([wt, st]) => [wt.id, st.id] as const),
  );
  const found = new Map<
    string,
    { row: Omit<AnalysisRow, 'value' | 'undefinedRuns'>; values: (number | undefined)[] }
  >();
  const warnings: string[] = [];
  const pairs: [run: PlannedRun, documents: AnalysisDocument[]][] = [];
  const add = (run: PlannedRun, init: string, document: AnalysisDocument): void => {
    for (const { value, ...finding } of findingsOf(document)) {
      for (const model of modelLabels(run, plan)) {
        const row = { data: run.data, model, init, ...finding };
        const key = Object.values(row).join('\n');
        const entry = found.get(key) ?? { row, values: [] };
        found.set(key, entry);
        entry.values.push(value);
      }
    }
  };
  for (let start = 0; start < done.length; start += RUNS_AT_ONCE) {
    const some = done.slice(start, start + RUNS_AT_ONCE).map(({ run }) => run);
    const documents = await Promise.all(
      some.map((run) =>
        documentsOf(studyPaths(plan.folder).run(run.id), measures, partners.get(run.id)),
      ),
    );
    some.forEach((run, at) => {
      const { own = [], paired = [], problems = [] } = documents[at] ?? {};
      warnings.push(...problems);
      for (const document of own) add(run, run.init, document);
      if (paired.length > 0) pairs.push([run, paired]);
      for (const document of [...own, ...paired]) warnings.push(...document.warnings);
    });
  }
  for (const [run, documents] of pairs) {
    for (const document of documents) add(run, 'wt against st', document);
  }
  const rows = [...found.values()].map(({ row, values }) => ({
    ...row,
    value: statistic(values, Object.values(row)),
    undefinedRuns: values.filter((value) => value === undefined).length,
  }));
  return { rows, warnings };
}

/** The analyses of one run that are there, of itself and against its partner. */
async function documentsOf(
  folder: string,
  measures: readonly MeasureName[],
  partner: string | undefined,
): Promise<{ own: AnalysisDocument[]; paired: AnalysisDocument[]; problems: string[] }> {
  const own: AnalysisDocument[] = [];
  const paired: AnalysisDocument[] = [];
  const problems: string[] = [];
  let files: string[];
  try {
    files = await readdir(dirname(analysisPaths(folder, 'any').json));
  } catch {
    return { own, paired, problems };
  }
  const read = async (measure: MeasureName, against?: string): Promise<void> => {
    if (!files.includes(basename(analysisPaths(folder, measure, against).json))) return;
    try {
      const document = await readAnalysis(folder, measure, against);
      if (document) (against === undefined ? own : paired).push(document);
    } catch (error) {
      if (!(error instanceof CarryoverError)) throw error;
      problems.push(error.message);
    }
  };
  for (const measure of measures) await read(measure);
  if (partner !== undefined && measures.includes('cka')) await read('cka', partner);
  return { own, paired, problems };
}

/** The text of `analyses.csv`. */
export function formatAnalyses(rows: readonly AnalysisRow[]): string {
  return formatCsv(
    [
      'data',
      'model',
      'init',
      'measure',
      'of',
      'detail',
      'mean',
      'sd',
      'low',
      'high',
      'runs',
      'undefined_runs',
    ],
    rows.map(({ data, model, init, measure, of, detail, value, undefinedRuns }): CsvCell[] => [
      data,
      model,
      init,
      measure,
      of,
      detail,
      value?.mean,
      value?.deviation,
      value?.interval?.low,
      value?.interval?.high,
      value?.count ?? 0,
      undefinedRuns,
    ]),
  );
}

/** The numbers of one document that make sense over seeds. */
export function findingsOf(document: AnalysisDocument): Finding[] {
  switch (document.measure) {
    case 'knn':
      return document.taps.flatMap(({ tap, embedding, knn, probe }) => [
        { measure: 'knn', of: tap, detail: embedding, value: knn?.primary.value },
        ...(probe
          ? [{ measure: 'probe', of: tap, detail: embedding, value: probe.test.primary.value }]
          : []),
      ]);
    case 'cka':
      return document.matrices.flatMap(({ tokens, left, right, taps, values }) => {
        const isOne = left.run === right.run;
        // Each of a pair with itself is a finding of its own run, and not of what compares the two.
        if (isOne && document.against) return [];
        const sides = isOne ? `${left.checkpoint}/${right.checkpoint}` : left.checkpoint;
        return values.flatMap((row, at) =>
          row.map((value, other) => ({
            measure: `cka ${sides}${tokens === 'all' ? '' : ` ${tokens}`}`,
            of: taps[at] ?? '',
            detail: taps[other] ?? '',
            value: value ?? undefined,
          })),
        );
      });
    case 'l2':
      return document.taps.map(({ tap, distance }) => ({
        measure: 'l2',
        of: tap,
        detail: '',
        value: distance,
      }));
    case 'reinit':
      return document.taps.flatMap(({ tap, evaluation, drop }) => [
        { measure: 'reinit', of: tap, detail: 'metric', value: evaluation?.primary.value },
        { measure: 'reinit', of: tap, detail: 'drop', value: drop ?? undefined },
      ]);
    case 'attention':
      return document.layers
        .flatMap(({ tap, mean, heads }) => [
          { measure: 'attention', of: tap, detail: 'mean', value: mean ?? undefined },
          ...heads.map((value, head) => ({
            measure: 'attention',
            of: tap,
            detail: `head ${head + 1}`,
            value: value ?? undefined,
          })),
        ])
        .concat({
          measure: 'attention of all alike',
          of: 'all taps',
          detail: '',
          value: document.uniform,
        });
    case 'convergence':
      return [
        {
          measure: 'convergence',
          of: 'iterations to best',
          detail: '',
          value: document.subject.iterationsToBest,
        },
      ];
    case 'calibration':
      return [
        {
          measure: 'calibration',
          of: 'expected error',
          detail: '',
          value: document.overall.expectedError.value,
        },
        ...Object.entries(document.evaluation.metrics).map(([name, { value }]) => ({
          measure: 'calibration',
          of: name,
          detail: '',
          value,
        })),
      ];
  }
}
