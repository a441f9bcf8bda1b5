/** The tables of a study in its folder: `results.csv`, comparisons, curves, models, analyses. */
import {
  neededResultColumns,
  type StudySummary,
  writeCsvTable,
  writeParquetTable,
  writeResults,
} from '../results/index.ts';
import { RequestError, writeFileWhole } from '../util/index.ts';
import { type AnalysisValue, formatAnalyses } from './analysisTable.ts';
import { formatComparisons, formatCurves, formatModels } from './comparisons.ts';
import { chooseRates, formatRates, type RateChoice } from './learningRates.ts';
import type { Plan } from './plan.ts';
import { studyPaths } from './run.ts';
import { type RunState, readStates } from './state.ts';
import { readSummary } from './summary.ts';
import { tableRows } from './tableRows.ts';
import { valueColumns } from './values.ts';

/** What a study has found, and the state of every run. */
export interface Report extends StudySummary {
  states: RunState[];
  /** Every number of every analysis of every run. */
  values: AnalysisValue[];
  /** What a learning-rate grid found, setting by setting. */
  rates: RateChoice[];
  /** What was not written, and why. */
  notes: string[];
}

/** Reads what is there and brings it together, without writing. */
async function readReport(plan: Plan): Promise<Report> {
  const states = await readStates(plan.folder, plan.runs);
  const values: AnalysisValue[] = [];
  const summary = await readSummary(plan, states, (value) => values.push(value));
  return { ...summary, states, values, rates: chooseRates(summary.rows), notes: [] };
}

/** Writes the tables of what is finished. */
export async function writeReport(plan: Plan): Promise<Report> {
  const report = await readReport(plan);
  await writeTables(plan, report);
  return { ...report, notes: await writeValues(plan, report) };
}

/** Writes the tables into the study's folder. */
async function writeTables(plan: Plan, report: Report): Promise<void> {
  const { rows, comparisons, curves, findings, rates } = report;
  const paths = studyPaths(plan.folder);
  await writeResults(paths.results, rows);
  await writeFileWhole(paths.comparisons, formatComparisons(comparisons));
  await writeFileWhole(paths.models, formatModels(tableRows(rows, plan), plan));
  if (rates.length > 0) await writeFileWhole(paths.learningRates, formatRates(rates));
  if (curves.length > 0) await writeFileWhole(paths.curves, formatCurves(curves));
  if (findings.length > 0) await writeFileWhole(paths.analyses, formatAnalyses(findings));
}

/**
 * Writes `values.csv`, and it and the results as Parquet where DuckDB is installed.
 * @returns what was left out, and why
 */
async function writeValues(plan: Plan, { rows, values }: Report): Promise<string[]> {
  const paths = studyPaths(plan.folder);
  if (values.length > 0) await writeCsvTable(paths.values, valueColumns, values);
  try {
    await writeParquetTable(paths.resultsParquet, neededResultColumns(rows), rows);
    if (values.length > 0) await writeParquetTable(paths.valuesParquet, valueColumns, values);
    return [];
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return [`no Parquet files are written: ${error.message}`];
  }
}
