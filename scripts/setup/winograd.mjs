// The addon for 3 × 3 convolutions by Winograd's method (native/winograd/): it makes training in float32 faster
// on processors with AVX-512, where LibTorch takes oneDNN from the system, as Debian's does.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildArguments } from './addon.mjs';
import { buildOptionalAddon } from './optionalAddon.mjs';

/** oneDNN's header where this LibTorch is linked to the system's oneDNN and its headers are there. */
export function findOnednn(libtorch) {
  const header = join(libtorch.include, 'oneapi/dnnl/dnnl.hpp');
  const isShared = libtorch.kind === 'system' && existsSync(join(libtorch.lib, 'libdnnl.so'));
  return isShared && existsSync(header) ? header : undefined;
}

/**
 * Builds the addon beside the one for LibTorch, or finds it built: as `buildOptionalAddon` has it.
 * @param {import('./libtorch.mjs').LibTorch} libtorch
 * @param {{root: string, folder: string, header?: string, out?: string, sanitize?: string}} options
 *   `header`: as `findOnednn` has it
 */
export function buildWinogradAddon(libtorch, { root, header = findOnednn(libtorch), ...options }) {
  const { compile, link } = buildArguments(libtorch, { root });
  const addon = {
    name: 'winograd',
    purpose: 'for 3 × 3 convolutions',
    header,
    missing:
      libtorch.kind === 'system'
        ? 'no headers of oneDNN; Debian, Ubuntu: sudo apt-get install -y libdnnl-dev'
        : 'this LibTorch has a oneDNN of its own',
    without: '3 × 3 convolutions in float32 will be LibTorch’s direct ones',
    flags: [...compile.filter((flag) => flag !== '-O2'), ...link, '-ldnnl'],
  };
  return buildOptionalAddon(addon, { root, ...options });
}
