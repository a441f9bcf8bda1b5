/**
 * Addons that set-up builds beside the one for LibTorch where it can (scripts/setup/kernels.mjs): loading one gives
 * LibTorch an operator, or an allocator, that it does not have.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { addonFolder } from './native.ts';

const loadedExtensions = new Map<string, string>();

/** Which of them are at work, for records and people: `adam, convolution (products by oneDNN), …`. */
export function ownKernels(): string {
  const names = [...loadedExtensions].map(([name, detail]) =>
    detail ? `${name} (${detail})` : name,
  );
  return names.length > 0 ? names.sort().join(', ') : 'none';
}

/**
 * What an extension exports; `undefined` where it was not built, cannot be loaded, or is switched off by
 * `CARRYOVER_<NAME>=0`.
 * @param describe what there is to say of it
 */
export function loadExtension<Exports>(
  name: string,
  describe: (loaded: Exports) => string = () => '',
): Exports | undefined {
  if (process.env[`CARRYOVER_${name.toUpperCase()}`] === '0') return undefined;
  try {
    const loaded: Exports = createRequire(import.meta.url)(join(addonFolder, `${name}.node`));
    loadedExtensions.set(name, describe(loaded));
    return loaded;
  } catch {
    return undefined;
  }
}
