// Everything that the project needs on a machine with Node and a C++ compiler: LibTorch, packages,
// the addon, the compiled JavaScript. Each step is skipped when it has nothing to do, so that every
// command can start with this one. Node builtins only.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAdamAddon } from './setup/adam.mjs';
import { buildAddon, findCompiler, selectAddon } from './setup/addon.mjs';
import { buildJpegAddon } from './setup/jpeg.mjs';
import { main, say } from './setup/process.mjs';
import { checkNode, ensureCompiled, ensurePackages } from './setup/project.mjs';
import { ensureLibtorch } from './setup/system.mjs';
import { buildWinogradAddon } from './setup/winograd.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await main(async () => {
  const start = performance.now();
  checkNode(root);
  findCompiler();
  const libtorch = await ensureLibtorch();
  const installed = await ensurePackages(root);
  const { path, built } = await buildAddon(libtorch, { root });
  selectAddon(root, path, libtorch);
  const beside = { root, folder: dirname(path) };
  const adam = await buildAdamAddon(libtorch, beside);
  const winograd = await buildWinogradAddon(libtorch, beside);
  const jpeg = await buildJpegAddon({ root });
  const compiled = await ensureCompiled(root);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const done = [installed, built, adam.built, winograd.built, jpeg.built, compiled].some(Boolean)
    ? 'ready'
    : 'nothing to do';
  say(`${done} (LibTorch ${libtorch.version} in ${libtorch.place}, ${seconds} s)`);
});
