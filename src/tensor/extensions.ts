/**
 * Addons that set-up builds beside the one for LibTorch where it can (scripts/setup/kernels.mjs): loading one gives
 * LibTorch an operator, or an allocator, that it does not have.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { addonFolder } from './native.ts';

/**
 * What an extension exports; `undefined` where it was not built, cannot be loaded, or is switched off by
 * `CARRYOVER_<NAME>=0`.
 */
export function loadExtension<Exports>(name: string): Exports | undefined {
  if (process.env[`CARRYOVER_${name.toUpperCase()}`] === '0') return undefined;
  try {
    const loaded: Exports = createRequire(import.meta.url)(join(addonFolder, `${name}.node`));
    return loaded;
  } catch {
    return undefined;
  }
}
