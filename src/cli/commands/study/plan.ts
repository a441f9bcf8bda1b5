/** `carryover study plan`. */
import type { Command } from 'commander';
import { type Output, outputOf } from '../../output.ts';
import { stopOnSignals } from '../../signals.ts';
import { describeState, showStates } from '../../studyText.ts';
import { loadStudies, prepare, type StudyOptions } from './prepare.ts';

export function registerPlan(study: Command): void {
  study
    .command('plan')
    .description('list the runs of a study, and which are done; writes nothing')
    .argument('<study>', 'the study file (YAML)')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .addHelpText('after', '\nExample:\n  $ carryover study plan studies/isic2019-mini.yaml')
    .action((file: string, options: StudyOptions, command: Command) =>
      plan(file, options, outputOf(command)),
    );
}

async function plan(file: string, options: StudyOptions, output: Output): Promise<void> {
  using stop = stopOnSignals();
  const { countStates, initLabel, readStates } = await loadStudies();
  const { plan, notes } = await prepare(file, options, output, stop.signal);
  const states = await readStates(plan.folder, plan.runs);
  for (const note of notes) output.note(`note: ${note}`);
  showStates(states, output, initLabel);
  const counts = countStates(states);
  output.line(`${plan.runs.length} runs, ${counts.done} done, in ${plan.folder}`);
  output.document({
    study: plan.name,
    folder: plan.folder,
    counts,
    runs: states.map((state) => ({ ...describeState(state), config: state.run.config })),
  });
}
