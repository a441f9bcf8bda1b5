/** `carryover study status`. */
import type { Command } from 'commander';
import { type Output, outputOf } from '../../output.ts';
import { formatDuration } from '../../progress.ts';
import { describeState, showStates } from '../../studyText.ts';
import { loadStudies, type StudyOptions } from './prepare.ts';

export function registerStatus(study: Command): void {
  study
    .command('status')
    .description('how far a study is: done, running, failed, interrupted, waiting, time to go')
    .argument('<study>', 'the study file, or the folder of the study')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .addHelpText(
      'after',
      '\nExample:\n  $ carryover study status studies/isic2019-mini.yaml --json',
    )
    .action((path: string, options: StudyOptions, command: Command) =>
      status(path, options, outputOf(command)),
    );
}

async function status(path: string, options: StudyOptions, output: Output): Promise<void> {
  const { countStates, estimateSeconds, initLabel, locateFolder, readPlan, readStates } =
    await loadStudies();
  const plan = await readPlan(await locateFolder(path, options.out));
  const states = await readStates(plan.folder, plan.runs);
  const counts = countStates(states);
  const seconds = estimateSeconds(states);
  showStates(states, output, initLabel);
  const parts = Object.entries(counts).flatMap(([name, count]) =>
    count > 0 ? [`${count} ${name}`] : [],
  );
  const remaining =
    counts.done === states.length
      ? ''
      : seconds === undefined
        ? '; time to go not known yet'
        : `; about ${formatDuration(seconds)} to go`;
  output.line(`${plan.name}: ${states.length} runs: ${parts.join(', ')}${remaining}`);
  output.document({
    study: plan.name,
    folder: plan.folder,
    counts,
    secondsToGo: seconds,
    runs: states.map(describeState),
  });
}
