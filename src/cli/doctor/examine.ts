/** Looks at the machine and at LibTorch, and gathers what it sees in one document. */
import { statfs } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { jpegDecoder } from '../../data/index.ts';
import {
  availableCores,
  cpuCapability,
  cudaDeviceCount,
  getThreadCount,
  libtorchConfiguration,
  libtorchCuda,
  libtorchVersion,
  ownKernels,
  processorHasBFloat16,
  setThreadCount,
} from '../../tensor/index.ts';
import { type Finding, judge, type Observations } from './findings.ts';
import { lookForNvidia } from './gpus.ts';
import { blasKind, libraryNamed, loadedLibraries } from './libraries.ts';
import { gemmSpeed, multipliesBFloat16 } from './measure.ts';

export interface Examination extends Observations {
  node: string;
  system: string;
  processor: string;
  /** The vector instructions of LibTorch's own kernels. */
  instructions: string;
  /** The folder of LibTorch's libraries. */
  place: string;
  /** The addons that give LibTorch faster kernels. */
  kernels: string;
  /** What decodes plain JPEG files. */
  jpeg: string;
  /** Bytes. */
  totalMemory: number;
  folder: string;
  findings: Finding[];
}

/** @param folder where runs would be written: its disk is looked at */
export async function examine(folder: string): Promise<Examination> {
  const libraries = loadedLibraries();
  const threads = getThreadCount();
  const cores = availableCores();
  setThreadCount(cores);
  const gpus = cudaDeviceCount();
  const devices = ['cpu', ...Array.from({ length: gpus }, (_, index) => `cuda:${index}`)];
  const speeds = devices.map((device) => ({
    device,
    float32: gemmSpeed(device, 'float32'),
    bfloat16: multipliesBFloat16(device) ? gemmSpeed(device, 'bfloat16') : undefined,
  }));
  setThreadCount(threads);
  const disk = await statfs(folder);
  const library = libraryNamed(libraries, 'libtorch_cpu');
  const seen: Observations = {
    libtorch: libtorchVersion(),
    blas: blasKind(libraries, libtorchConfiguration()),
    cores,
    speeds,
    bfloat16Hardware: processorHasBFloat16(),
    cuda: libtorchCuda(),
    ...lookForNvidia(),
    gpus,
    freeDisk: disk.bavail * disk.bsize,
    availableMemory: process.availableMemory(),
  };
  return {
    ...seen,
    node: process.versions.node,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    instructions: cpuCapability(),
    place: library === undefined ? 'unknown' : dirname(library),
    kernels: ownKernels(),
    jpeg: jpegDecoder(),
    totalMemory: Math.min(totalmem(), process.constrainedMemory() || totalmem()),
    folder,
    findings: judge(seen),
  };
}
