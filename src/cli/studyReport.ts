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
  /** Absolute path of report.html. */
  page: string;
  /** Absolute paths of the figures' SVG files. */
  figures: string[];
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
  const [{ writeFigures, writeTable1 }, { readFigures, writeModelCards, writeReportPage }] =
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
  await writeReportPage(report, await readFigures(folder, index), page);
  const modelCards = await writeModelCards(report);
  return {
    ...report,
    page,
    figures: index.figures.map(({ files }) => join(folder, files.svg)),
    modelCards,
  };
}

/** What was written beside the tables, as JSON documents give it. */
export function describeWritten({ page, figures, modelCards }: WrittenReport) {
  return { report: page, figures, modelCards };
}
