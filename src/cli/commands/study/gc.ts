/** `carryover study gc`: what a study's folder holds that no study needs. */
import { relative } from 'node:path';
import type { Command } from 'commander';
import { type Output, outputOf } from '../../output.ts';
import { loadStudies, type StudyOptions } from './prepare.ts';

interface GcOptions extends StudyOptions {
  delete?: boolean;
}

export function registerGc(study: Command): void {
  study
    .command('gc')
    .description('list what no study needs: runs that left the plan, states of finished runs, …')
    .argument('<study>', 'the study file, or the folder of the study')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .option('--delete', 'delete what is listed; without it nothing is deleted')
    .addHelpText(
      'after',
      '\nNever lists anything of a run that a process has in hand. A run that left the plan is lost once\n' +
        'it is deleted: a study file that is changed back would do it again. Resized images are kept in a\n' +
        'cache of all studies: carryover data cache.\n' +
        '\nExamples:\n  $ carryover study gc runs/isic2019-mini\n' +
        '  $ carryover study gc runs/isic2019-mini --delete',
    )
    .action((path: string, options: GcOptions, command: Command) =>
      gc(path, options, outputOf(command)),
    );
}

async function gc(path: string, options: GcOptions, output: Output): Promise<void> {
  const { deleteGarbage, findGarbage, formatBytes, locateFolder, readPlan } = await loadStudies();
  const plan = await readPlan(await locateFolder(path, options.out));
  const { garbage, kept } = await findGarbage(plan);
  const short = (full: string): string => relative(plan.folder, full);
  if (garbage.length > 0) {
    output.table({
      columns: ['what', 'path', 'MB', 'why'],
      rows: garbage.map(({ kind, path: place, bytes, why }) => [
        kind,
        short(place),
        Number((bytes / 1e6).toFixed(1)),
        why,
      ]),
    });
  }
  for (const { path: place, why } of kept) output.note(`kept: ${short(place)}: ${why}`);
  const found = garbage.reduce((sum, { bytes }) => sum + bytes, 0);
  const deleted = options.delete ? await deleteGarbage(plan, garbage) : [];
  const freed = deleted.reduce((sum, { bytes }) => sum + bytes, 0);
  if (garbage.length === 0) {
    output.line(`${plan.name}: nothing that no study needs in ${plan.folder}`);
  } else if (options.delete) {
    output.line(
      `${plan.name}: deleted ${deleted.length} of ${garbage.length}: ${formatBytes(freed)} freed`,
    );
  } else {
    output.line(
      `${plan.name}: ${garbage.length} that no study needs, ${formatBytes(found)}; --delete deletes them`,
    );
  }
  output.document({
    study: plan.name,
    folder: plan.folder,
    bytes: found,
    garbage,
    kept,
    deleted: deleted.map((item) => item.path),
    freedBytes: freed,
  });
}
