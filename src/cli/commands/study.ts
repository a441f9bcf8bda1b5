/** `carryover study`: whole studies, planned, run, watched and tabulated. */
import type { Command } from 'commander';

export function registerStudy(program: Command): void {
  program
    .command('study')
    .description('data sets × models × initialisations × repeats, from one study file')
    .addHelpText('after', '\nExample:\n  $ carryover study run studies/isic2019-mini.yaml');
}
