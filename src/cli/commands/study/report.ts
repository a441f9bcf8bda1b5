/** `carryover study report`. */
import type { Command } from 'commander';
import { type Output, outputOf } from '../../output.ts';
import { stopOnSignals } from '../../signals.ts';
import { describeWritten, writeStudyReport } from '../../studyReport.ts';
import { describeReport, showReport } from '../../studyText.ts';
import { loadStudies, type StudyOptions } from './prepare.ts';

export function registerReport(study: Command): void {
  study
    .command('report')
    .description(
      'write the tables, figures and report.html of what is finished, and print the table',
    )
    .argument('<study>', 'the study file, or the folder of the study')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .addHelpText('after', '\nExample:\n  $ carryover study report runs/isic2019-mini')
    .action((path: string, options: StudyOptions, command: Command) =>
      report(path, options, outputOf(command)),
    );
}

async function report(path: string, options: StudyOptions, output: Output): Promise<void> {
  using stop = stopOnSignals();
  const { describeTable1, locateFolder, readPlan } = await loadStudies();
  const plan = await readPlan(await locateFolder(path, options.out));
  const result = await writeStudyReport(plan, output, stop.signal);
  for (const note of result.notes) output.note(`note: ${note}`);
  showReport(plan, describeTable1(result.table), result.states, output);
  output.line(`report: ${result.page}`);
  output.document({ ...describeReport(plan, result), ...describeWritten(result) });
}
