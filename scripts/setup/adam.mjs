// The addon for a step of Adam in one pass over memory (native/adam/), on the processor: a third of the time that
// LibTorch's kernels take for it.

import { join } from 'node:path';
import { buildArguments } from './addon.mjs';
import { buildOptionalAddon } from './optionalAddon.mjs';

/**
 * Builds the addon beside the one for LibTorch, or finds it built: as `buildOptionalAddon` has it.
 * @param {import('./libtorch.mjs').LibTorch} libtorch
 * @param {{root: string, folder: string, out?: string, sanitize?: string}} options
 */
export function buildAdamAddon(libtorch, options) {
  const { compile, link } = buildArguments(libtorch, options);
  const addon = {
    name: 'adam',
    purpose: 'for steps of Adam',
    header: join(libtorch.include, 'torch/library.h'),
    missing: 'no headers of LibTorch',
    without: 'steps of Adam will be LibTorch’s',
    // Contracted products would differ from processor to processor.
    flags: [...compile, '-O3', '-fno-math-errno', '-ffp-contract=off', ...link],
  };
  return buildOptionalAddon(addon, options);
}
