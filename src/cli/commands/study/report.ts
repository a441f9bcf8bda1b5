/** `carryover study report`. */
import type { Command } from 'commander';
import { type Output, outputOf } from '../../output.ts';
import { describeReport, showReport } from '../../studyText.ts';
import { loadStudies, type StudyOptions } from './prepare.ts';

export function registerReport(study: Command): void {
  study
    .command('report')
    .description('write results.csv and table1.csv of what is finished, and print the table')
    .argument('<study>', 'the study file, or the folder of the study')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .addHelpText('after', '\nExample:\n  $ carryover study report runs/isic2019-mini')
    .action((path: string, options: StudyOptions, command: Command) =>
      report(path, options, outputOf(command)),
    );
}

async function report(path: string, options: StudyOptions, output: Output): Promise<void> {
  const { describeTable1, locateFolder, readPlan, writeReport } = await loadStudies();
  const plan = await readPlan(await locateFolder(path, options.out));
  const result = await writeReport(plan);
  for (const note of result.notes) output.note(`note: ${note}`);
  showReport(plan, describeTable1(result.table), result.states, output);
  output.document(describeReport(plan, result));
}
