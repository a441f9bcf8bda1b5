// Addons that lie beside the one for LibTorch and give LibTorch what it does not have: faster convolutions
// (native/convolution/), batch and layer norm (native/normalisation/) and GELU (native/activation/), a step of Adam
// in one pass over memory (native/adam/), an allocator that finds freed memory again (native/allocator/), and steps of
// CKA and of nearest neighbours (native/analysis/). On the processor only.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildArguments } from './addon.mjs';
import { buildOptionalAddon } from './optionalAddon.mjs';

const addons = [
  {
    name: 'allocator',
    purpose: 'for memory',
    without: 'training will take a tenth more memory',
  },
  {
    name: 'adam',
    purpose: 'for steps of Adam',
    without: 'steps of Adam will be LibTorch’s',
    // Contracted products would differ from processor to processor.
    flags: ['-fno-math-errno', '-ffp-contract=off'],
  },
  {
    name: 'convolution',
    purpose: 'for convolutions',
    without: 'convolutions will be LibTorch’s',
  },
  {
    name: 'normalisation',
    purpose: 'for batch and layer norm',
    without: 'batch and layer norm will be LibTorch’s',
  },
  {
    name: 'activation',
    purpose: 'for GELU',
    without: 'GELU will be LibTorch’s',
  },
  {
    name: 'analysis',
    purpose: 'for CKA and nearest neighbours',
    without: 'CKA and nearest neighbours will take longer',
  },
];

/**
 * Builds the addons, or finds them built.
 * @param {import('./libtorch.mjs').LibTorch} libtorch
 * @param {{root: string, folder: string, out?: string, sanitize?: string}} options
 * @returns {Promise<Awaited<ReturnType<typeof buildOptionalAddon>>[]>}
 */
export async function buildKernels(libtorch, options) {
  const { compile, link } = buildArguments(libtorch, options);
  const results = [];
  const waiting = addons.map(({ flags = [], ...addon }, index) => async () => {
    const complete = {
      ...addon,
      header: join(libtorch.include, 'torch/library.h'),
      missing: 'no headers of LibTorch',
      // In a sanitizer's build `compile` says how far to optimise.
      flags: [...compile, ...(options.sanitize ? [] : ['-O3']), ...flags, ...link],
    };
    results[index] = await buildOptionalAddon(complete, options);
  });
  const work = async () => {
    for (let build = waiting.shift(); build; build = waiting.shift()) await build();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}
