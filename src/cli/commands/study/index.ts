/** `carryover study`: whole studies, planned, run, watched and tabulated. One file a sub-command. */
import type { Command } from 'commander';
import { registerCancel } from './cancel.ts';
import { registerGc } from './gc.ts';
import { registerPlan } from './plan.ts';
import { registerProbe } from './probe.ts';
import { registerQuery } from './query.ts';
import { registerReport } from './report.ts';
import { registerRun } from './run.ts';
import { registerSchema } from './schema.ts';
import { registerStatus } from './status.ts';

export { runStudy } from './run.ts';

export function registerStudy(program: Command): void {
  const study = program
    .command('study')
    .description('data sets × models × initialisations × repeats, from one study file')
    .addHelpText('after', '\nExample:\n  $ carryover study run studies/isic2019-mini.yaml');
  registerPlan(study);
  registerRun(study);
  registerStatus(study);
  registerReport(study);
  registerSchema(study);
  registerProbe(study);
  registerQuery(study);
  registerGc(study);
  registerCancel(study);
}
