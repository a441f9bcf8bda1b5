// Everything that the project needs on a machine with Node and a C++ compiler: LibTorch, packages,
// the addon, the compiled JavaScript. Each step is skipped when it has nothing to do, so that every
// command can start with this one. Node builtins only.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAddon, findCompiler, selectAddon } from './setup/addon.mjs';
import { buildJpegAddon } from './setup/jpeg.mjs';
import { buildKernels } from './setup/kernels.mjs';
import { main, say } from './setup/process.mjs';
import { checkNode, ensureCompiled, ensurePackages } from './setup/project.mjs';
import { ensureLibtorch } from './setup/system.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await main(async () => {
  const start = performance.now();
  checkNode(root);
  findCompiler();
  const libtorch = await ensureLibtorch();
  const installed = await ensurePackages(root);
  const { path, built } = await buildAddon(libtorch, { root });
  selectAddon(root, path, libtorch);
  const kernels = await buildKernels(libtorch, { root, folder: dirname(path) });
  const jpeg = await buildJpegAddon({ root });
  const compiled = await ensureCompiled(root);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const done = [installed, built, jpeg.built, compiled, ...kernels.map((each) => each.built)];
  const state = done.some(Boolean) ? 'ready' : 'nothing to do';
  say(`${state} (LibTorch ${libtorch.version} in ${libtorch.place}, ${seconds} s)`);
});
