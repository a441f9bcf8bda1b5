/** What the analyses of a study's runs found, brought together over seeds: `analyses.csv`. */
import {
  type AnalysisDocument,
  type AnalysisRow,
  type CsvCell,
  formatCsv,
  type MeasureName,
  readAnalysis,
} from '../results/index.ts';
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

/** Mean, deviation and interval over seeds of every number of every analysis that is there. */
export async function readAnalyses(
  plan: Plan,
  states: readonly RunState[],
  measures: readonly MeasureName[],
): Promise<AnalysisRow[]> {
  const done = states.filter(({ status, run }) => status === 'done' && run.role === 'target');
  const runs = done.map(({ run }) => run);
  const found = new Map<
    string,
    { row: Omit<AnalysisRow, 'value' | 'undefinedRuns'>; values: (number | undefined)[] }
  >();
  const add = (run: PlannedRun, init: string, document: AnalysisDocument | undefined): void => {
    for (const { value, ...finding } of document ? findingsOf(document) : []) {
      for (const model of modelLabels(run, plan)) {
        const row = { data: run.data, model, init, ...finding };
        const key = JSON.stringify(row);
        const entry = found.get(key) ?? { row, values: [] };
        found.set(key, entry);
        entry.values.push(value);
      }
    }
  };
  const folder = (run: PlannedRun): string => studyPaths(plan.folder).run(run.id);
  for (const run of runs) {
    for (const measure of measures) add(run, run.init, await readAnalysis(folder(run), measure));
  }
  for (const [wt, st] of pairsOf(runs)) {
    add(wt, 'wt against st', await readAnalysis(folder(wt), 'cka', st.id));
  }
  return [...found.values()].map(({ row, values }) => ({
    ...row,
    value: statistic(values, Object.values(row)),
    undefinedRuns: values.filter((value) => value === undefined).length,
  }));
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
        const sides =
          left.run === right.run ? `${left.checkpoint}/${right.checkpoint}` : left.checkpoint;
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
      return document.layers.flatMap(({ tap, mean, heads }) => [
        { measure: 'attention', of: tap, detail: 'mean', value: mean ?? undefined },
        ...heads.map((value, head) => ({
          measure: 'attention',
          of: tap,
          detail: `head ${head + 1}`,
          value: value ?? undefined,
        })),
      ]);
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
