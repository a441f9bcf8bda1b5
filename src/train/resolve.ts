/** What `auto` comes to: device, precision, threads, optimiser, learning rate, sizes. */
import { cpus } from 'node:os';
import { describeModel } from '../models/index.ts';
import type { Resolved, RunConfig } from '../results/index.ts';
import {
  availableCores,
  cudaDeviceCount,
  describeGpu,
  type GpuFacts,
  gpuHasBFloat16,
  processorHasBFloat16,
} from '../tensor/index.ts';
import { RequestError } from '../util/index.ts';

/** Learning rates of the paper, found by grid search (section 2, training procedure). */
const PRETRAINED_LEARNING_RATE = 1e-4;
const RANDOM_LEARNING_RATE = 3e-4;

/** Decoding threads under `auto`: more than this wait for the disk. */
const MOST_WORKERS = 8;

/** Where a run computes and how. */
export type Machine = Pick<Resolved, 'device' | 'deviceName' | 'precision' | 'threads'>;

/**
 * The device, number format and threads of a run on this machine.
 * @throws RequestError for a GPU that is not there, or one that is asked for bfloat16 and has none.
 */
export function resolveMachine(
  training: Pick<RunConfig['training'], 'device' | 'precision' | 'threads'>,
  where = 'training.device',
): Machine {
  const device = resolveDevice(training.device, where);
  requireThreads(training.threads, where.replace('device', 'threads'));
  const isGpu = device.startsWith('cuda');
  const gpu = isGpu ? describeGpu(Number(device.split(':')[1] ?? 0)) : undefined;
  const deviceName = isGpu ? gpu?.name : cpus()[0]?.model.trim();
  return {
    device,
    ...(deviceName ? { deviceName } : {}),
    precision: isGpu
      ? gpuPrecision(training.precision, gpu)
      : processorPrecision(training.precision),
    threads: training.threads === 'auto' ? automaticThreads() : training.threads,
  };
}

/** More threads than any machine has cores are a slip, and their stacks alone fill its memory. */
const MOST_THREADS = 1024;

function requireThreads(threads: number | 'auto', where: string): void {
  if (threads === 'auto' || threads <= MOST_THREADS) return;
  throw new RequestError({
    where,
    expected: `at most ${MOST_THREADS}`,
    got: String(threads),
    hint: 'auto takes the cores that the process may use',
  });
}

type Precision = RunConfig['training']['precision'];

function processorPrecision(wanted: Precision): 'fp32' | 'bf16' {
  if (wanted !== 'auto') return wanted;
  return processorHasBFloat16() ? 'bf16' : 'fp32';
}

/**
 * The number format on a GPU.
 * @param gpu `undefined` where the driver does not say what it is: then as on a recent one
 * @throws RequestError for bfloat16 on a GPU that only imitates it.
 */
export function gpuPrecision(wanted: Precision, gpu: GpuFacts | undefined): 'fp32' | 'bf16' {
  const hasBFloat16 = gpu === undefined || gpuHasBFloat16(gpu);
  if (wanted === 'auto') return hasBFloat16 ? 'bf16' : 'fp32';
  if (wanted === 'bf16' && gpu !== undefined && !hasBFloat16) {
    throw new RequestError({
      where: 'training.precision',
      expected: 'a GPU that computes in bfloat16 (compute capability 8.0 or newer)',
      got: `${gpu.name}, ${gpu.computeCapability.toFixed(1)}`,
      hint: 'use precision auto or fp32',
    });
  }
  return wanted;
}

function resolveDevice(wanted: string, where: string): string {
  const count = cudaDeviceCount();
  if (wanted === 'auto') return count > 0 ? 'cuda:0' : 'cpu';
  if (wanted === 'cpu') return 'cpu';
  const index = Number(wanted.split(':')[1] ?? 0);
  if (index >= count) {
    throw new RequestError({
      where,
      expected: count === 0 ? 'cpu: LibTorch sees no GPU' : `a GPU below cuda:${count}`,
      got: wanted,
      hint: 'use device auto; carryover doctor says what is missing for a GPU',
    });
  }
  return `cuda:${index}`;
}

/** Threads that decode images: under `auto` one a core, up to where more of them wait for the disk. */
export function resolveWorkers(workers: number | 'auto'): number {
  return workers === 'auto' ? Math.min(availableCores(), MOST_WORKERS) : workers;
}

/** The cores that this process may use, or what OMP_NUM_THREADS says: how runs at once share a machine. */
function automaticThreads(): number {
  const given = Number(process.env.OMP_NUM_THREADS);
  return Number.isInteger(given) && given > 0 ? given : availableCores();
}

/** Pixels of a side that the network sees, and that images are resized to before the crop. */
export function resolveSizes(config: RunConfig): { size: number; resize: number } {
  const { training } = config;
  // Asked for in any case: an unknown model is to be told before the data set is read.
  const { imageSize } = describeModel(config.model);
  const size = training.size === 'auto' ? imageSize : training.size;
  // 256 for 224, as in the paper, and the same proportion at other sizes.
  const resize = training.resize === 'auto' ? Math.round((size * 256) / 224) : training.resize;
  if (resize < size) {
    throw new RequestError({
      where: 'training.resize',
      expected: `at least the size ${size}`,
      got: String(resize),
    });
  }
  return { size, resize };
}

/** Optimiser and learning rate for the model's family and the initialisation (METHODS: training). */
export function resolveOptimiser(
  config: RunConfig,
  family: 'cnn' | 'vit',
): Pick<Resolved, 'optimizer' | 'learningRate'> {
  const { optimizer, learningRate } = config.training;
  const usual = config.init === 'ri' ? RANDOM_LEARNING_RATE : PRETRAINED_LEARNING_RATE;
  return {
    optimizer: optimizer === 'auto' ? (family === 'cnn' ? 'adam' : 'adamw') : optimizer,
    learningRate: learningRate === 'auto' ? usual : learningRate,
  };
}

/** Iterations after which training ends at the latest. */
export function resolveMaxIterations(
  { maxEpochs, maxIterations }: RunConfig['training'],
  iterationsPerEpoch: number,
): number {
  return Math.min(maxEpochs * iterationsPerEpoch, maxIterations ?? Number.POSITIVE_INFINITY);
}

/**
 * Whether the validation split is evaluated after batch `batch` (from 1) of an epoch of `perEpoch`:
 * `evaluations` times an epoch at even distances, the last time at its end; after every batch where
 * there are fewer batches than that.
 */
export function evaluationIsDue(batch: number, perEpoch: number, evaluations: number): boolean {
  const passed = (count: number): number => Math.floor((count * evaluations) / perEpoch);
  return passed(batch) > passed(batch - 1);
}
