/** `carryover study schema`. */
import type { Command } from 'commander';
import { loadStudies } from './prepare.ts';

export function registerSchema(study: Command): void {
  study
    .command('schema')
    .description('print the JSON schema of study files, for completion in editors')
    .addHelpText(
      'after',
      '\nA study file refers to it in a first line:\n' +
        '  # yaml-language-server: $schema=study.schema.json\n' +
        '\nExample:\n  $ carryover study schema > study.schema.json',
    )
    .action(async () => {
      const { formatStudySchema } = await loadStudies();
      process.stdout.write(await formatStudySchema());
    });
}
