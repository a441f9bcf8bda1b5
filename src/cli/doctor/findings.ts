/** What the doctor makes of what it saw: pure judgement, no looking. */
import { type GpuObservations, judgeGpus } from './gpus.ts';
import type { BlasKind } from './libraries.ts';

export interface Speed {
  device: string;
  /** GFLOP/s of a float32 matrix product. */
  float32: number;
  /** GFLOP/s of a bfloat16 one; undefined where it does not run. */
  bfloat16: number | undefined;
}

export interface Observations extends GpuObservations {
  blas: BlasKind;
  /** Cores that this process may use, which is how many threads training takes by default. */
  cores: number;
  speeds: Speed[];
  /** The processor's own flag; says nothing of GPUs. */
  bfloat16Hardware: boolean;
  /** Bytes. */
  freeDisk: number;
  /** Bytes that this process may still take. */
  availableMemory: number;
}

export interface Finding {
  level: 'ok' | 'warning';
  message: string;
  /** What to do; only with a warning. */
  advice?: string;
}

const gibibyte = 2 ** 30;
/** A tuned BLAS reaches 30 and more on one core of any x86 or ARM server; the reference one, 1 to 4. */
const slowestTuned = 8;

/** One finding per thing that is wrong, or a single one that says that nothing is. */
export function judge(seen: Observations): Finding[] {
  const warnings = [
    blasFinding(seen),
    gpuFinding(seen),
    bfloat16Finding(seen),
    seen.freeDisk < 5 * gibibyte
      ? warning(
          `${(seen.freeDisk / gibibyte).toFixed(1)} GiB are free on the disk of this folder`,
          'free some space: a study keeps two checkpoints a run, 2.5 times the weights’ size while it trains',
        )
      : undefined,
    seen.availableMemory < 2 * gibibyte
      ? warning(
          `${(seen.availableMemory / gibibyte).toFixed(1)} GiB of memory are free`,
          'close other programs, or train with a smaller batch (--set training.batchSize=16)',
        )
      : undefined,
  ].filter((finding) => finding !== undefined);
  return warnings.length > 0 ? warnings : [{ level: 'ok', message: 'nothing to mend' }];
}

function warning(message: string, advice: string): Finding {
  return { level: 'warning', message, advice };
}

function blasFinding({ blas, speeds }: Observations): Finding | undefined {
  const cpu = speeds.find((speed) => speed.device === 'cpu');
  const speed = cpu?.float32 ?? Number.POSITIVE_INFINITY;
  const slow = speed < slowestTuned;
  if (blas !== 'reference' && !slow) return undefined;
  const advice =
    blas === 'reference'
      ? 'Debian, Ubuntu: sudo apt-get install -y libopenblas0-openmp, then npm run setup'
      : 'stop other work on this machine, or use another LibTorch (set LIBTORCH)';
  const what = blas === 'reference' ? 'the slow reference BLAS' : `a slow BLAS (${blas})`;
  return warning(
    `LibTorch uses ${what}: ${speed.toFixed(1)} GFLOP/s in float32, where a tuned one reaches ` +
      '30 and more a core; vision transformers train up to fifty times slower with it',
    advice,
  );
}

function gpuFinding(seen: Observations): Finding | undefined {
  const found = judgeGpus(seen);
  return found && warning(found.message, found.advice);
}

function bfloat16Finding({ bfloat16Hardware, speeds }: Observations): Finding | undefined {
  const cpu = speeds.find((speed) => speed.device === 'cpu');
  if (!bfloat16Hardware || cpu === undefined) return undefined;
  if (cpu.bfloat16 !== undefined && cpu.bfloat16 > cpu.float32) return undefined;
  return warning(
    'the processor multiplies bfloat16 in hardware, but LibTorch gains nothing from it',
    'use a newer LibTorch (set LIBTORCH), or train with --set training.precision=fp32',
  );
}
