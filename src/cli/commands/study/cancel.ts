/** `carryover study cancel`: stops a study from another terminal, its jobs on a cluster too. */
import type { Command } from 'commander';
import { WorkError } from '../../../util/index.ts';
import { type Output, outputOf } from '../../output.ts';
import { loadStudies, type StudyOptions } from './prepare.ts';

export function registerCancel(study: Command): void {
  study
    .command('cancel')
    .description('stop the runners of a study on this machine, and cancel its jobs on the cluster')
    .argument('<study>', 'the study file, or the folder of the study')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .addHelpText(
      'after',
      '\nRuns stop at a step boundary and can be gone on with: carryover study run.\n' +
        '\nExample:\n  $ carryover study cancel runs/isic2019-mini',
    )
    .action((path: string, options: StudyOptions, command: Command) =>
      cancel(path, options, outputOf(command)),
    );
}

async function cancel(path: string, options: StudyOptions, output: Output): Promise<void> {
  const { cancelStudy, locateFolder, readPlan } = await loadStudies();
  const plan = await readPlan(await locateFolder(path, options.out));
  const { stopped, going, elsewhere, jobs } = await cancelStudy(plan.folder);
  output.line(
    `${plan.name}: ${stopped.length} ${stopped.length === 1 ? 'runner' : 'runners'} stopped, ` +
      `${jobs.length} Slurm ${jobs.length === 1 ? 'job' : 'jobs'} cancelled`,
  );
  for (const { host, pid } of elsewhere) {
    output.note(`note: a runner on ${host} (process ${pid}) can only be stopped there`);
  }
  output.document({ study: plan.name, folder: plan.folder, stopped, going, elsewhere, jobs });
  const [first] = going;
  if (first) {
    throw new WorkError({
      where: `study ${plan.name}`,
      expected: 'its runners to stop within two minutes',
      got: `process ${first.pid}, which is still going`,
      hint: 'the same command asks again, and then it stops at once',
    });
  }
}
