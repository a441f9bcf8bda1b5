/** `carryover data`: what a data set is, whether it is sound, how it is split, what is cached of it. */
import type { Command } from 'commander';
import type { CheckFlags, SplitFlags } from '../data/flags.ts';
import { wholeNumber } from '../numbers.ts';
import { outputOf } from '../output.ts';

export function registerData(program: Command): void {
  const data = program
    .command('data')
    .description('look into a data set: is it sound, how is it split, what is cached')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carryover data check folder:scans --html scans.html\n' +
        '  $ carryover data split csv:labels.csv --out splits.csv\n  $ carryover data kinds',
    );
  registerCheck(data);
  registerSplit(data);
  registerKinds(data);
  registerCache(data);
}

function withDataOptions(command: Command): Command {
  return command
    .argument('<data>', 'the data set as kind:path, for example folder:scans or csv:labels.csv')
    .option(
      '--set <key=value>',
      'a setting of the data set, for example labelColumn=dx or split.ratios=[70,15,15]; repeatable',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--split-seed <number>', 'seed of the splits', wholeNumber('--split-seed', 0), 0)
    .option('--fraction <share>', 'use this share of the training split, for example 0.1')
    .option('--n-train <number>', 'use so many training samples', wholeNumber('--n-train'));
}

function registerCheck(data: Command): void {
  withDataOptions(data.command('check'))
    .description(
      'list, decode and compare all images: counts, sizes, bit depths, unreadable files, duplicates, ' +
        'leaks, label problems, statistics. Exit code 1 when something must be put right.',
    )
    .option('--splits <file>', 'CSV file that says which sample is in which split')
    .option('--html <file>', 'write the page with a contact sheet as one HTML file')
    .option('--sheet <file>', 'write the contact sheet alone as a PNG file')
    .option('--resize <pixels>', 'side that images are resized to', wholeNumber('--resize'), 256)
    .option(
      '--size <pixels>',
      'side that a network sees (default: 7/8 of it)',
      wholeNumber('--size'),
    )
    .option('--workers <number>', 'decoding threads (default: cores)', wholeNumber('--workers', 0))
    .option('--no-cache', 'keep no resized images for later')
    .option('--no-images', 'decode nothing: labels, splits and byte-identical files only')
    .addHelpText(
      'after',
      '\nThe resized images are kept for training, which then starts at once.\n' +
        '\nExamples:\n  $ carryover data check isic2019:data/isic2019 --html isic2019.html\n' +
        '  $ carryover data check csv:labels.csv --set labelColumn=dx --set groupColumn=patient --json',
    )
    .action(async (argument: string, flags: CheckFlags, command: Command) => {
      const { check } = await import('../data/check.ts');
      await check(argument, flags, outputOf(command));
    });
}

function registerSplit(data: Command): void {
  withDataOptions(data.command('split'))
    .description('make the splits that a run would make, print them by class and write them')
    .option('--out <file>', 'CSV file of sample, group, class, split')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carryover data split isic2019:data/isic2019 --out splits.csv\n' +
        '  $ carryover data split folder:scans --set split.folds=5 --set split.fold=0\n' +
        '  $ carryover train --data folder:scans --splits splits.csv …',
    )
    .action(async (argument: string, flags: SplitFlags, command: Command) => {
      const { split } = await import('../data/split.ts');
      await split(argument, flags, outputOf(command));
    });
}

function registerKinds(data: Command): void {
  data
    .command('kinds')
    .description('the kinds of data set that can be named')
    .addHelpText('after', '\nExample:\n  $ carryover data kinds')
    .action(async (_flags: unknown, command: Command) => {
      const { describeKinds } = await import('../../data/index.ts');
      const output = outputOf(command);
      const kinds = describeKinds();
      output.table({
        columns: ['kind', 'what it is'],
        rows: kinds.map(({ kind, description }) => [kind, description]),
      });
      output.document({ kinds });
    });
}

function registerCache(data: Command): void {
  data
    .command('cache')
    .description('list the resized images that are kept, or remove them')
    .option(
      '--prune <days>',
      'remove what was not used for so many days; 0: all',
      wholeNumber('--prune', 0),
    )
    .addHelpText(
      'after',
      '\nWhat is removed is made again when it is needed. The folder: CARRYOVER_CACHE, else\n' +
        '~/.cache/carryover.\n' +
        '\nExamples:\n  $ carryover data cache\n  $ carryover data cache --prune 30',
    )
    .action(async ({ prune }: { prune?: number }, command: Command) => {
      const { cache } = await import('../data/cache.ts');
      await cache(prune, outputOf(command));
    });
}
