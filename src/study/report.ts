/** The tables of a study in its folder: `results.csv`, `table1.csv`, comparisons, curves, models, analyses. */
import { type StudySummary, writeResults } from '../results/index.ts';
import { writeFileWhole } from '../util/index.ts';
import { formatAnalyses } from './analysisTable.ts';
import { formatComparisons, formatCurves, formatModels } from './comparisons.ts';
import { chooseRates, formatRates } from './learningRates.ts';
import type { Plan } from './plan.ts';
import { studyPaths } from './run.ts';
import { type RunState, readStates } from './state.ts';
import { readSummary } from './summary.ts';
import { formatTable1 } from './table1.ts';
import { tableRows } from './tableRows.ts';

/** What a study has found, and the state of every run. */
export interface Report extends StudySummary {
  states: RunState[];
}

/** Reads what is there and brings it together, without writing. */
export async function readReport(plan: Plan): Promise<Report> {
  const states = await readStates(plan.folder, plan.runs);
  return { ...(await readSummary(plan, states)), states };
}

/** Writes the tables of what is finished. */
export async function writeReport(plan: Plan): Promise<Report> {
  const report = await readReport(plan);
  await writeTables(plan, report);
  return report;
}

/** Writes the tables of a summary into the study's folder. */
export async function writeTables(plan: Plan, summary: StudySummary): Promise<void> {
  const { rows, table, comparisons, curves, findings } = summary;
  const paths = studyPaths(plan.folder);
  await writeResults(paths.results, rows);
  await writeFileWhole(paths.table, formatTable1(table));
  await writeFileWhole(paths.comparisons, formatComparisons(comparisons));
  await writeFileWhole(paths.models, formatModels(tableRows(rows, plan), plan));
  const rates = chooseRates(rows);
  if (rates.length > 0) await writeFileWhole(paths.learningRates, formatRates(rates));
  if (curves.length > 0) await writeFileWhole(paths.curves, formatCurves(curves));
  if (findings.length > 0) await writeFileWhole(paths.analyses, formatAnalyses(findings));
}
