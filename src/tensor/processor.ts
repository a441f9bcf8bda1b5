/** The processor's instructions, and what LibTorch has to be told of them. */
import { readFileSync } from 'node:fs';

interface Processor {
  vendor: string | undefined;
  /** Its maker's numbers of family and model, which its name may leave open. */
  family: string | undefined;
  model: string | undefined;
  flags: ReadonlySet<string>;
}

let known: Processor | undefined;

/** As Linux tells them; empty where it does not. */
export function processor(): Processor {
  known ??= read();
  return known;
}

function read(): Processor {
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1];
    return {
      vendor: field('vendor_id'),
      family: field('cpu family'),
      model: field('model'),
      flags: new Set(field('(?:flags|Features)')?.split(' ')),
    };
  } catch {
    return { vendor: undefined, family: undefined, model: undefined, flags: new Set() };
  }
}

const avx512 = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];

/**
 * Whether LibTorch's own kernels are faster with AVX-512: on AMD's processors that have it. LibTorch 1.13 leaves
 * it to those who ask, because Intel's first ones became slower by it.
 */
export function hasWideKernels({ vendor, flags }: Processor): boolean {
  return vendor === 'AuthenticAMD' && avx512.every((flag) => flags.has(flag));
}
