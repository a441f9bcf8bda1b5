/** `carryover demo`: a small whole study on pictures that it draws itself. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { explainWriteFailure } from '../../util/index.ts';
import { type Output, outputOf } from '../output.ts';
import { runStudy } from './study/index.ts';

const studyFile = fileURLToPath(new URL('../../../studies/demo.yaml', import.meta.url));

/** Pictures of each class; small enough for minutes, few enough in the targets for transfer to matter. */
const sets = [
  { name: 'patterns', perClass: 150 },
  { name: 'fundus', perClass: 150 },
  { name: 'dermoscopy', perClass: 120 },
] as const;
const size = 64;
const seed = 0;

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('draw a source domain and two target sets, then run a small whole study on them')
    .option('--out <folder>', 'the folder of pictures and results', join('runs', 'demo'))
    .addHelpText(
      'after',
      '\nThe pictures are synthetic: they only look like eyes and skin, and teach no medicine.\n' +
        '\nExample:\n  $ carryover demo --out /tmp/demo',
    )
    .action((options: { out: string }, command: Command) =>
      demo(resolve(options.out), outputOf(command)),
    );
}

async function demo(folder: string, output: Output): Promise<void> {
  const started = performance.now();
  const { writeSynthetic } = await import('../../data/index.ts');
  for (const { name, perClass } of sets) {
    const place = join(folder, 'data', name);
    const written = await writeSynthetic(name, place, { seed, size, perClass });
    output.note(`${written ? 'drew' : 'kept'} the synthetic set ${name} in ${shown(place)}`);
  }
  const study = join(folder, 'demo.yaml');
  try {
    await mkdir(folder, { recursive: true });
    await copyFile(studyFile, study);
  } catch (error) {
    throw explainWriteFailure(study, error);
  }
  await runStudy(study, { out: folder }, output);
  output.note(
    `\nThe demo took ${Math.round((performance.now() - started) / 1000)} s. Its pictures are drawings ` +
      'that only look like eyes and skin: no number here says anything of medicine.',
  );
  output.note(`Open ${shown(join(folder, 'report.html'))} in a browser.`);
  output.note(`Look at ${shown(join(folder, 'data'))}, and at the study file ${shown(study)}.`);
  output.note('For your own data, write such a file and start: carryover study run <file>');
}

/** A path as short as it can be typed from here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
