// Builds the addons: node scripts/build-native.mjs [--libtorch DIR] [--out DIR] [--sanitize NAME]
// [--check-warnings]. Without --out the results become those that the project loads. With
// --check-warnings the exit code is 1 when the compiler had anything to say about the sources.

import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildAddon, selectAddon } from './setup/addon.mjs';
import { buildJpegAddon } from './setup/jpeg.mjs';
import { buildKernels } from './setup/kernels.mjs';
import { findLibtorch, libtorchAdvice, libtorchFolder } from './setup/libtorch.mjs';
import { main, SetupError, say } from './setup/process.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await main(async () => {
  const { values } = parseArgs({
    options: {
      libtorch: { type: 'string' },
      out: { type: 'string' },
      sanitize: { type: 'string' },
      'check-warnings': { type: 'boolean', default: false },
    },
  });
  const libtorch = values.libtorch ? libtorchFolder(values.libtorch, '--libtorch') : findLibtorch();
  if (!libtorch) throw new SetupError(libtorchAdvice);
  const out = values.out && resolve(values.out);
  if (out) mkdirSync(out, { recursive: true });
  const { path, built, warnings } = await buildAddon(libtorch, {
    root,
    out,
    sanitize: values.sanitize,
  });
  if (!out && !values.sanitize) selectAddon(root, path, libtorch);
  say(`addon ${built ? 'built' : 'is up to date'}: ${path}`);
  const options = { root, out, sanitize: values.sanitize };
  const optional = [
    ...(await buildKernels(libtorch, { ...options, folder: dirname(path) })),
    await buildJpegAddon(options),
  ];
  for (const each of optional.filter((result) => result.path)) {
    say(`addon ${each.built ? 'built' : 'is up to date'}: ${each.path}`);
  }
  const said = warnings + optional.map((result) => result.warnings ?? '').join('');
  if (values['check-warnings'] && said) {
    throw new SetupError(`the addons' sources: expected no compiler warnings, got\n${said}`);
  }
});
