/** What this machine has for runs: GPUs, and what is known of the memory that runs take. */
import type { RunRecord } from '../../results/index.ts';
import type { PlannedRun } from '../run.ts';
import type { RunState } from '../state.ts';

/** The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them for a child. */
export async function visibleGpus(): Promise<string[]> {
  const { cudaDeviceCount, physicalGpu } = await import('../../tensor/index.ts');
  return Array.from({ length: cudaDeviceCount() }, (_, index) => physicalGpu(index));
}

/** Runs that take about the same memory: of one model, with the same batches of the same size. */
function kindOf({ config: { model, training } }: PlannedRun): string {
  const { size, batchSize, precision, device, threads } = training;
  return [model, size, batchSize, precision, device, threads].join(' ');
}

/** What runs take of the memory, learnt from those that are finished. */
export class RunMemory {
  readonly #peaks = new Map<string, number>();

  constructor(states: readonly RunState[]) {
    for (const { run, record } of states) this.learn(run, record);
  }

  learn(run: PlannedRun, record: RunRecord | undefined): void {
    const peak = record?.result?.peakMemoryBytes ?? 0;
    const kind = kindOf(run);
    if (peak > (this.#peaks.get(kind) ?? 0)) this.#peaks.set(kind, peak);
  }

  /** Bytes at most, by the largest peak among finished runs like it; `undefined` where there are none. */
  of(run: PlannedRun): number | undefined {
    return this.#peaks.get(kindOf(run));
  }
}
