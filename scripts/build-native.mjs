// Builds the addon: node scripts/build-native.mjs [--libtorch DIR] [--out DIR] [--sanitize NAME]
// [--check-warnings]. Without --out the result becomes the one that the project loads. With
// --check-warnings the exit code is 1 when the compiler had anything to say about the sources.

import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildAddon, selectAddon } from './setup/addon.mjs';
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
  if (values['check-warnings'] && warnings) {
    throw new SetupError(`the addon's sources: expected no compiler warnings, got\n${warnings}`);
  }
});
