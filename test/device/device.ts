/**
 * The device that these tests try: the one that CARRYOVER_TEST_DEVICE names, else the first GPU, else the CPU, on which
 * they hold all the same.
 */
import { cudaDeviceCount, type Device } from '../../src/tensor/index.ts';

export const device: Device =
  process.env.CARRYOVER_TEST_DEVICE ?? (cudaDeviceCount() > 0 ? 'cuda:0' : 'cpu');
