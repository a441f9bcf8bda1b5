/** The `executor` of a study file: where its runs are carried out. */
import { z } from 'zod';

const oneLine = z.string().regex(/^[^\n\r]+$/, 'one line of text');
const count = z.int().positive();

export const slurmSettingsSchema = z.strictObject({
  kind: z.literal('slurm').describe('Array jobs of a Slurm cluster.'),
  partition: oneLine.optional().describe('The partition of the jobs.'),
  account: oneLine.optional().describe('The account that the jobs are charged to.'),
  gpus: z
    .union([count, z.string().regex(/^[A-Za-z0-9._-]+:\d+$/, 'a type and a number: a100:1')])
    .optional()
    .describe('GPUs of a run: 1, or with a type, `a100:1`; without it, none.'),
  cpus: count.default(1).describe('Cores of a run, and its threads.'),
  memory: z
    .string()
    .regex(/^\d+[KMGT]?$/, 'a number with K, M, G or T: 16G')
    .optional()
    .describe('Memory of a run, as Slurm writes it: `16G`.'),
  time: z
    .union([
      count,
      z.string().regex(/^(\d+-\d+(:\d+){0,2}|\d+(:\d+){1,2})$/, 'minutes, 4:00:00 or 1-12:00:00'),
    ])
    .optional()
    .describe(
      'Time of a job at most: minutes, or `4:00:00`, `1-12:00:00`. A run that takes longer goes on in a further job.',
    ),
  limit: count.optional().describe('Jobs at once at most.'),
  notice: count
    .default(120)
    .describe('Seconds before the end of its time at which a run is asked to save and stop.'),
  poll: z.number().positive().default(10).describe('Seconds between two looks at the queue.'),
  extra: z
    .array(oneLine.regex(/^--?[A-Za-z]/, 'an option of sbatch: --constraint=…'))
    .default([])
    .describe('Further options of sbatch, for example `--constraint=a100`.'),
});

/** Where runs are carried out: by name, or with settings. */
export const executorSchema = z
  .union([
    z.enum(['local', 'slurm']),
    z.strictObject({ kind: z.literal('local').describe('Child processes on this machine.') }),
    slurmSettingsSchema,
  ])
  .transform((value) => (typeof value === 'string' ? executorNamed(value) : value));

export type SlurmSettings = z.output<typeof slurmSettingsSchema>;
export type ExecutorSettings = { kind: 'local' } | SlurmSettings;

/** An executor with nothing set. */
export function executorNamed(kind: 'local' | 'slurm'): ExecutorSettings {
  return kind === 'local' ? { kind } : slurmSettingsSchema.parse({ kind });
}
