/**
 * `carryover study probe`: what `study plan` starts, each measurement in a process of its own. A run's
 * configuration on stdin, its speed on stdout.
 */
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { stopOnSignals } from '../../signals.ts';

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
const loadTraining = async () => ({
  ...(await import('../../../train/index.ts')),
  ...(await import('../../../results/index.ts')),
});

export function registerProbe(study: Command): void {
  study
    .command('probe', { hidden: true })
    .description('measure the speed of the run whose configuration comes on stdin, as JSON')
    .addHelpText('after', '\nExample:\n  $ carryover study probe < runs/first/config.json')
    .action(async () => {
      const { measureSpeed, runConfigSchema, validate } = await loadTraining();
      using stop = stopOnSignals();
      const value: unknown = JSON.parse(await text(process.stdin));
      const config = validate(runConfigSchema, value, { where: 'carryover study probe' });
      const speed = await measureSpeed(config, stop.signal);
      process.stdout.write(`${JSON.stringify(speed)}\n`);
    });
}
