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
import { pairsOf, recordIds } from './analyses.ts';
import type { Plan } from './plan.ts';
import { type PlannedRun, studyPaths } from './run.ts';
import type { RunState } from './state.ts';
import { modelLabels } from './tableRows.ts';
import { statistic } from './transferCurve.ts';

/** One number of one analysis; absent where it is undefined. */
export interface Finding {
  measure: string;
  /** Tap, or what else the number is of. */
  of: string;
  /** Embedding, head, or the other tap. */
  detail: string;
  value?: number;
  /** Why there is no value, where the document says. */
  reason?: string;
}

/** One number of one analysis of one run. */
export interface AnalysisValue extends Finding {
  run: PlannedRun;
  /** The run that it is compared with. */
  against?: string;
}

/** What the analyses found, and what they warned of. */
export interface ReadAnalyses {
  rows: AnalysisRow[];
  /** One an analysis and warning; of files that cannot be read, why. */
  warnings: string[];
  /** Those of `warnings` that are files that cannot be read. */
  problems: string[];
}

/** Runs whose analyses are read at once. */
const RUNS_AT_ONCE = 32;

/**
 * Mean, deviation and interval over seeds of every number of every analysis that is there. An analysis
 * that cannot be read becomes a warning.
 * @param onValue gets every number of every run
 */
export async function readAnalyses(
  plan: Plan,
  states: readonly RunState[],
  measures: readonly MeasureName[] = measureNames,
  onValue: (value: AnalysisValue) => void = () => {},
): Promise<ReadAnalyses> {
  const found = new Map<
    string,
    { row: Omit<AnalysisRow, 'value' | 'undefinedRuns'>; values: (number | undefined)[] }
  >();
  const read = await eachAnalysis(plan, states, measures, (run, init, document) => {
    for (const finding of valuesOf(run, document)) {
      const { measure, of, detail, value } = finding;
      onValue(finding);
      for (const model of modelLabels(run, plan)) {
        const row = { data: run.data, model, init, measure, of, detail };
        const key = Object.values(row).join('\n');
        const entry = found.get(key) ?? { row, values: [] };
        found.set(key, entry);
        entry.values.push(value);
      }
    }
  });
  const rows = [...found.values()].map(({ row, values }) => ({
    ...row,
    value: statistic(values, Object.values(row)),
    undefinedRuns: values.filter((value) => value === undefined).length,
  }));
  return { rows, ...read };
}

/** Every number of every analysis of every finished run, and the files that cannot be read. */
export async function readAnalysisValues(
  plan: Plan,
  states: readonly RunState[],
): Promise<{ values: AnalysisValue[]; problems: string[] }> {
  const values: AnalysisValue[] = [];
  const { problems } = await eachAnalysis(plan, states, measureNames, (run, _init, document) =>
    values.push(...valuesOf(run, document)),
  );
  return { values, problems };
}

function valuesOf(run: PlannedRun, document: AnalysisDocument): AnalysisValue[] {
  const against = document.against?.runId;
  return findingsOf(document).map((finding) => ({
    run,
    ...(against === undefined ? {} : { against }),
    ...finding,
  }));
}

/** Reads the analyses that are there, many at a time; those of pairs come last. */
async function eachAnalysis(
  plan: Plan,
  states: readonly RunState[],
  measures: readonly MeasureName[],
  add: (run: PlannedRun, init: string, document: AnalysisDocument) => void,
): Promise<{ warnings: string[]; problems: string[] }> {
  const done = states.filter(({ status, run }) => status === 'done' && run.role === 'target');
  const idOf = recordIds(done);
  const partners = new Map(
    pairsOf(done.map(({ run }) => run)).map(([wt, st]) => [wt.id, idOf(st)] as const),
  );
  const warnings: string[] = [];
  const unreadable: string[] = [];
  const pairs: [run: PlannedRun, documents: AnalysisDocument[]][] = [];
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
      unreadable.push(...problems);
      for (const document of own) add(run, run.init, document);
      if (paired.length > 0) pairs.push([run, paired]);
      for (const document of [...own, ...paired]) warnings.push(...document.warnings);
    });
  }
  for (const [run, documents] of pairs) {
    for (const document of documents) add(run, 'wt against st', document);
  }
  return { warnings, problems: unreadable };
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
      return document.taps.flatMap(({ tap, embedding, knn, probe, reason }) => [
        {
          measure: 'knn',
          of: tap,
          detail: embedding,
          value: knn?.primary.value,
          reason: knn ? knn.primary.reason : reason,
        },
        ...(probe
          ? [
              {
                measure: 'probe',
                of: tap,
                detail: embedding,
                value: probe.test.primary.value,
                reason: probe.test.primary.reason,
              },
            ]
          : []),
      ]);
    case 'cka':
      return document.matrices.flatMap(({ tokens, left, right, taps, values, undefinedTaps }) => {
        const reasonOf = (side: 'left' | 'right', tap: string | undefined) =>
          undefinedTaps.find((entry) => entry.side === side && entry.tap === tap)?.reason;
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
            reason:
              value === null
                ? (reasonOf('left', taps[at]) ?? reasonOf('right', taps[other]))
                : undefined,
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
      return document.taps.flatMap(({ tap, evaluation, drop, reason }) => {
        const why = evaluation ? evaluation.primary.reason : reason;
        const lost = drop === null ? (why ?? document.trained.primary.reason) : undefined;
        return [
          {
            measure: 'reinit',
            of: tap,
            detail: 'metric',
            value: evaluation?.primary.value,
            reason: why,
          },
          { measure: 'reinit', of: tap, detail: 'drop', value: drop ?? undefined, reason: lost },
        ];
      });
    case 'attention':
      return [
        ...document.layers.flatMap(({ tap, mean, heads }) => [
          { measure: 'attention', of: tap, detail: 'mean', value: mean ?? undefined },
          ...heads.map((value, head) => ({
            measure: 'attention',
            of: tap,
            detail: `head ${head + 1}`,
            value: value ?? undefined,
            reason: value === null ? 'attended to the class token alone' : undefined,
          })),
        ]),
        {
          measure: 'attention of all alike',
          of: 'all taps',
          detail: '',
          value: document.uniform,
        },
      ];
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
          reason: document.overall.expectedError.reason,
        },
        ...Object.entries(document.evaluation.metrics).map(([name, { value, reason }]) => ({
          measure: 'calibration',
          of: name,
          detail: '',
          value,
          reason,
        })),
        ...document.overall.bins.flatMap(({ low, high, confidence, frequency }) => {
          const bin = { measure: 'reliability', of: `${low.toFixed(3)} to ${high.toFixed(3)}` };
          return [
            { ...bin, detail: 'confidence', value: confidence },
            { ...bin, detail: 'frequency', value: frequency },
          ];
        }),
      ];
  }
}
