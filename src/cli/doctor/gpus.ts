/** What stands between this machine and its GPU. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GpuObservations {
  libtorch: string;
  /** The CUDA that LibTorch was built for. */
  cuda: string | undefined;
  /** An NVIDIA driver is loaded. */
  nvidiaDriver: boolean;
  /** There is an NVIDIA GPU on the bus, whether anything drives it or not. */
  nvidiaHardware: boolean;
  /** GPUs that LibTorch sees. */
  gpus: number;
}

/** Of PCI: the maker, and the first byte of the class of displays and 3D controllers. */
const NVIDIA = '0x10de';
const DISPLAY = '0x03';

/** What the kernel says of drivers and of the bus; nothing on systems without Linux's /proc and /sys. */
export function lookForNvidia(root = '/'): { nvidiaDriver: boolean; nvidiaHardware: boolean } {
  const bus = join(root, 'sys/bus/pci/devices');
  const isGpu = (device: string): boolean => {
    const [vendor = '', kind = ''] = ['vendor', 'class'].map((name) =>
      readFileSync(join(bus, device, name), 'utf8').trim(),
    );
    return vendor === NVIDIA && kind.startsWith(DISPLAY);
  };
  let nvidiaHardware = false;
  try {
    nvidiaHardware = readdirSync(bus).some(isGpu);
  } catch {
    // Not Linux, or a sandbox without /sys.
  }
  return { nvidiaDriver: existsSync(join(root, 'proc/driver/nvidia/version')), nvidiaHardware };
}

/** What is wrong and what to do; `undefined` where nothing is, as on a machine that has no GPU. */
export function judgeGpus(
  { libtorch, cuda, nvidiaDriver, nvidiaHardware, gpus }: GpuObservations,
  visible = process.env.CUDA_VISIBLE_DEVICES,
): { message: string; advice: string } | undefined {
  if (gpus > 0) return undefined;
  if (nvidiaDriver && cuda === undefined) {
    return {
      message: `an NVIDIA driver is here, but LibTorch ${libtorch} is a build without CUDA and sees no GPU`,
      advice:
        'install a CUDA build: python3 -m venv .venv && . .venv/bin/activate && pip install torch (or the LibTorch zip ' +
        'for CUDA of https://pytorch.org/get-started/locally/, its folder in LIBTORCH), then npm run setup',
    };
  }
  if (nvidiaDriver) {
    const hidden = visible === undefined ? '' : `, and here it is "${visible}"`;
    return {
      message: `an NVIDIA driver is here, but LibTorch ${libtorch} for CUDA ${cuda} sees no GPU`,
      advice:
        `nvidia-smi must list a GPU and a CUDA version of ${cuda} or newer (else update the driver, or install a torch ` +
        `for an older CUDA), CUDA_VISIBLE_DEVICES must not hide it${hidden}, and a container must be given it ` +
        '(--gpus all)',
    };
  }
  if (!nvidiaHardware) return undefined;
  const build =
    cuda === undefined ? ', then install a CUDA build of torch and run npm run setup' : '';
  return {
    message: 'an NVIDIA GPU is in this machine, but no driver is loaded',
    advice: `install NVIDIA’s driver, until nvidia-smi lists the GPU${build}`,
  };
}

/** One line: the devices, and where there is no GPU what LibTorch would need to see one. */
export function describeDevices(
  devices: readonly string[],
  { cuda, nvidiaDriver, gpus }: GpuObservations,
): string {
  const list = devices.join(', ');
  if (gpus > 0 || nvidiaDriver) return list;
  const driver = 'no NVIDIA driver is loaded';
  return cuda === undefined ? list : `${list} (LibTorch is built for CUDA ${cuda}; ${driver})`;
}
