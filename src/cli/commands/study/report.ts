/** `carryover study report`. */
import type { Command } from 'commander';
import { type Output, outputOf } from '../../output.ts';
import { stopOnSignals } from '../../signals.ts';
import { describeWritten, showWritten, writeStudyReport } from '../../studyReport.ts';
import { describeReport, showReport } from '../../studyText.ts';
import { loadFigures, loadStudies, type StudyOptions } from './prepare.ts';

export function registerReport(study: Command): void {
  study
    .command('report')
    .description(
      'write the tables, figures and report.html of what is finished, and print the table',
    )
    .argument('<study>', 'the study file, or the folder of the study')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .option('--paper', 'the paper’s own numbers beside those of the same data set and model')
    .addHelpText('after', '\nExample:\n  $ carryover study report runs/isic2019-mini')
    .action((path: string, options: ReportOptions, command: Command) =>
      report(path, options, outputOf(command)),
    );
}

interface ReportOptions extends StudyOptions {
  paper?: boolean;
}

async function report(path: string, options: ReportOptions, output: Output): Promise<void> {
  using stop = stopOnSignals();
  const { locateFolder, readPlan } = await loadStudies();
  const { describeTable1 } = await loadFigures();
  const plan = await readPlan(await locateFolder(path, options.out));
  const result = await writeStudyReport(plan, output, stop.signal, { paper: options.paper });
  for (const note of result.notes) output.note(`note: ${note}`);
  showReport(describeTable1(result.table), result, output);
  showWritten(result, output);
  output.document({ ...describeReport(plan, result), ...describeWritten(result) });
}
