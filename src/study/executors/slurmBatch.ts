/** One submission to Slurm: an array of runs, its job script, and what the study's folder keeps of it. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hashText, writeFileWhole, writeJson } from '../../util/index.ts';
import type { ChildProgram } from './child.ts';
import type { SlurmSettings } from './settings.ts';

const batchSchema = z.strictObject({
  /** The job's name, which no other job of the user has. */
  name: z.string(),
  /** The array's number; absent until Slurm has said it. */
  job: z.string().optional(),
  /** The run of every task. */
  runs: z.array(z.string()),
  submittedAt: z.string(),
});

/** A submission, as `slurm/<number>/batch.json` keeps it. */
export type Batch = z.output<typeof batchSchema>;

export interface PlacedBatch extends Batch {
  /** Absolute path of `slurm/<number>`. */
  folder: string;
}

export const slurmFolder = (study: string): string => join(study, 'slurm');

/** The submissions of a study, oldest first. What cannot be read is no submission. */
export async function readBatches(study: string): Promise<PlacedBatch[]> {
  const names = await readdir(slurmFolder(study)).catch(() => []);
  const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const batches: PlacedBatch[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const folder = join(slurmFolder(study), String(number));
    const text = await readFile(join(folder, 'batch.json'), 'utf8').catch(() => '');
    const parsed = batchSchema.safeParse(parseJson(text));
    if (parsed.success) batches.push({ ...parsed.data, folder });
  }
  return batches;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function writeBatch({ folder, ...batch }: PlacedBatch): Promise<void> {
  await writeJson(join(folder, 'batch.json'), batch);
}

export interface BatchRequest {
  study: string;
  /** The study's name, for the job's. */
  title: string;
  settings: SlurmSettings;
  program: ChildProgram;
  /** Runs, and the jobs of theirs that are known to be over. */
  runs: readonly { id: string; endedJobs: readonly string[] }[];
}

/** Writes the job script of a submission and all it reads, before anything is submitted. */
export async function prepareBatch(request: BatchRequest): Promise<PlacedBatch> {
  const { study, title, runs } = request;
  const names = await readdir(slurmFolder(study)).catch(() => []);
  const number = 1 + Math.max(0, ...names.map(Number).filter(Number.isInteger));
  const folder = join(slurmFolder(study), String(number));
  await mkdir(folder, { recursive: true });
  const name = `carryover-${title}-${hashText(study).slice(0, 8)}-${number}`;
  const lines = runs.map(({ id, endedJobs }) => [id, ...endedJobs].join(' '));
  await writeFileWhole(join(folder, 'runs.txt'), `${lines.join('\n')}\n`);
  await writeFileWhole(join(folder, 'job.sh'), jobScript(request, name, folder));
  const batch: PlacedBatch = {
    folder,
    name,
    runs: runs.map(({ id }) => id),
    submittedAt: new Date().toISOString(),
  };
  await writeBatch(batch);
  return batch;
}

/** The options of sbatch that the settings come to. */
function options({ runs, settings }: BatchRequest, name: string, folder: string): string[] {
  const { partition, account, gpus, cpus, memory, time, limit, notice, extra } = settings;
  return [
    `--job-name=${name}`,
    `--array=0-${runs.length - 1}${limit === undefined ? '' : `%${limit}`}`,
    `--output="${folder.replaceAll('%', '%%')}/%a.log"`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:USR1@${notice}`,
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${cpus}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(gpus === undefined ? [] : [`--gres=gpu:${gpus}`]),
    ...(memory === undefined ? [] : [`--mem=${memory}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...extra.map(directive),
  ];
}

/** An option as a line of the script: a value with spaces takes quotes. */
function directive(option: string): string {
  const [, name, value] = /^([^=]*)=(.*)$/.exec(option) ?? [];
  if (name === undefined || value === undefined || !/\s/.test(value)) return option;
  return value.startsWith('"') ? option : `${name}="${value.replaceAll('"', '\\"')}"`;
}

function jobScript(request: BatchRequest, name: string, folder: string): string {
  const { study, settings, program } = request;
  const command = [process.execPath, ...program.args].map(quote).join(' ');
  return `#!/usr/bin/env bash
# Runs of ${study}, one a task: the task's number counts the lines of runs.txt from 0.
${options(request, name, folder)
  .map((option) => `#SBATCH ${option}`)
  .join('\n')}

cd ${quote(process.cwd())} || exit 1
study=${quote(study)}
read -r run ended < <(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quote(join(folder, 'runs.txt'))})
echo "task $SLURM_ARRAY_TASK_ID: run $run on $(hostname), $(date -Is)"
export OMP_NUM_THREADS=${settings.cpus}
# Jobs of this run that are over: what they left behind may be taken up.
export CARRYOVER_ENDED_JOBS="$ended"

# Steps that the run has behind it.
steps() { sed -n 's/^ *"iteration": \\([0-9]*\\).*/\\1/p' "$study/$run/run.json" 2>/dev/null | head -n 1; }
before=$(steps)

# USR1 comes from Slurm to this script alone, shortly before the time is up: the run is to save and
# stop. TERM (preempted, cancelled, requeued) comes to both; this script waits for the run to save.
time_is_up=
trap 'time_is_up=yes; kill -USR1 "$child" 2>/dev/null' USR1
trap : TERM

${command} train --config "$study/$run/config.json" --out "$study/$run" >>"$study/$run/console.log" 2>&1 &
child=$!
# A signal ends the wait before the child has ended.
while :; do
  wait "$child"; status=$?
  [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null || break
done

# A run that has got on but not to its end goes on in the same job, from where it is.
if [ -n "$time_is_up" ] && [ "$status" -ne 0 ] && [ "$(steps)" != "$before" ]; then
  echo "time is up after $(steps) steps: requeued, $(date -Is)"
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60
fi
echo "ended with $status, $(date -Is)"
exit "$status"
`;
}

/** For the shell, whatever it holds. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
