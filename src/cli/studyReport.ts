/**
 * The last step of a study, from the files of its folder alone: tables, figures, `report.html` and model
 * cards. It composes what may not import each other.
 */
import { join } from 'node:path';
import type { Table1Options } from '../figures/index.ts';
import type { Plan, Report } from '../study/index.ts';
import type { Output } from './output.ts';

/** The heavy code, once it is needed; none of it loads LibTorch. */
const loadStudies = () => import('../study/index.ts');
const loadFigures = () => import('../figures/index.ts');
const loadReports = () => import('../report/index.ts');

export interface WrittenReport extends Report {
  /** The whole in a sentence or two. */
  headline: string;
  /** Absolute path of report.html. */
  page: string;
  /** Absolute paths of the figures' SVG files. */
  figures: string[];
  /** How many kinds of figure the study has no data for, or could not be drawn. */
  figuresMissing: number;
  modelCards: string[];
}

/** Writes everything that is made of a study's finished runs. */
export async function writeStudyReport(
  plan: Plan,
  output: Output,
  signal?: AbortSignal,
  options: Table1Options = {},
): Promise<WrittenReport> {
  const { writeReport } = await loadStudies();
  const report = await writeReport(plan);
  const [{ writeFigures, writeTable1 }, { answer, readFigures, writeModelCards, writeReportPage }] =
    await Promise.all([loadFigures(), loadReports()]);
  await writeTable1(report, plan.folder, options);
  const folder = join(plan.folder, 'figures');
  const progress = output.progress('figures');
  const index = await writeFigures(report, folder, {
    signal,
    onFigure: (done, total, id) => progress.update({ done, total, text: id }),
  }).finally(() => progress.end());
  for (const { id, problem } of index.missing) {
    if (problem !== undefined) output.warn(`${id} could not be drawn: ${problem}`);
  }
  const page = join(plan.folder, 'report.html');
  await writeReportPage(report, await readFigures(folder, index), page, options);
  const modelCards = await writeModelCards(report);
  return {
    ...report,
    headline: answer(report).headline,
    page,
    figures: index.figures.map(({ files }) => join(folder, files.svg)),
    figuresMissing: index.missing.length,
    modelCards,
  };
}

/** What was found in a sentence, and where all that was written is. */
export function showWritten(
  { headline, folder, figures, figuresMissing, page }: WrittenReport,
  output: Output,
): void {
  const missing =
    figuresMissing > 0 ? `; what ${figuresMissing} more would need is in index.json` : '';
  output.line();
  output.line(headline);
  output.line();
  output.line(`report:  ${page}`);
  output.line(
    `figures: ${join(folder, 'figures')} (${figures.length} as SVG, PNG and Vega-Lite${missing})`,
  );
  output.line(
    `tables:  ${join(folder, 'table1')}.csv, .md, .tex and .html; results.csv and others`,
  );
}

/** What was written beside the tables, as JSON documents give it. */
export function describeWritten({ page, figures, modelCards }: WrittenReport) {
  return { report: page, figures, modelCards };
}
