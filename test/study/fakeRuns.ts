/** Plans for tests of scheduling, and what the fake child's journals say afterwards. */
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runConfigSchema } from '../../src/results/index.ts';
import { type ChildProgram, LocalExecutor, type PlannedRun } from '../../src/study/index.ts';

export const fakeProgram: ChildProgram = {
  args: [fileURLToPath(new URL('fakeTrain.mjs', import.meta.url))],
};

/** This machine, training with the fake. */
export function fakeExecutor(folder: string, more: { gpus?: string[] } = {}): LocalExecutor {
  return new LocalExecutor({ folder, program: fakeProgram, ...more });
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'carryover-study-'));
}

export interface FakeBehaviour {
  steps?: number;
  stepMs?: number;
  fail?: 'error' | 'once' | 'crash';
}

export function fakeRun(
  id: string,
  behaviour: FakeBehaviour = {},
  more: Partial<PlannedRun> = {},
): PlannedRun {
  const seed = more.seed ?? 0;
  return {
    id,
    role: 'target',
    data: 'fake',
    samples: 10,
    model: 'resnet18_micro',
    init: 'ri',
    seed,
    parallel: 2,
    config: runConfigSchema.parse({
      data: { kind: 'fake', ...behaviour },
      model: 'resnet18_micro',
      init: 'ri',
      seed,
    }),
    ...more,
  };
}

export interface JournalLine {
  event: string;
  pid: number;
  iteration: number;
  /** CUDA_VISIBLE_DEVICES, of a start. */
  gpu: string;
}

/** What happened in a run's folder, in order. */
export async function journal(folder: string, id: string): Promise<JournalLine[]> {
  const text = await readFile(join(folder, id, 'journal.log'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [event = '', pid, iteration, gpu = ''] = line.split(' ');
      return { event, pid: Number(pid), iteration: Number(iteration), gpu };
    });
}

/** Whether a process is there and has not ended. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}
