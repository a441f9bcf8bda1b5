import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildKernels } from '../../scripts/setup/kernels.mjs';
import { findLibtorch } from '../../scripts/setup/libtorch.mjs';

const libtorch = findLibtorch();
const names = ['allocator', 'adam', 'convolution', 'normalisation', 'activation', 'analysis'];
let root = '';

/** In place of the addons' sources, which take long. */
const writeSource = (name: string, text: string) =>
  writeFile(join(root, 'native', name, `${name}.cc`), text);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'carryover-kernels-'));
  for (const name of names) {
    await mkdir(join(root, 'native', name), { recursive: true });
    await writeSource(name, 'int nothing() { return 0; }\n');
  }
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const record = async (name: string): Promise<{ path?: string }> =>
  JSON.parse(await readFile(join(root, `native/build/${name}.json`), 'utf8'));

describe.skipIf(!libtorch)('the addons beside the one for LibTorch', () => {
  if (!libtorch) return;

  it('lie beside it, and are built again where that lies elsewhere', async () => {
    const folder = join(root, 'first');
    const first = await buildKernels(libtorch, { root, folder });
    for (const [index, name] of names.entries()) {
      const path = join(folder, `${name}.node`);
      expect(first[index]).toMatchObject({ built: true, path, warnings: '' });
      expect(await record(name)).toMatchObject({ path });
    }
    const built = async (options: { root: string; folder: string }) =>
      (await buildKernels(libtorch, options)).map((each) => each.built);
    expect(await built({ root, folder })).toEqual(names.map(() => false));
    expect(await built({ root, folder: join(root, 'second') })).toEqual(names.map(() => true));
  });

  it('are built again where a source, or a header that they share, is another', async () => {
    const options = { root, folder: join(root, 'folder') };
    await mkdir(join(root, 'native/shared'));
    await writeFile(join(root, 'native/shared/threads.h'), '');
    await writeFile(join(root, 'native/convolution/winograd.cc'), 'int more() { return 1; }\n');
    await buildKernels(libtorch, options);
    await writeFile(join(root, 'native/convolution/winograd.cc'), 'int more() { return 2; }\n');
    const second = await buildKernels(libtorch, options);
    expect(second.map(({ built }) => built)).toEqual(names.map((name) => name === 'convolution'));
    await writeFile(join(root, 'native/shared/threads.h'), '// another');
    const third = await buildKernels(libtorch, options);
    expect(third.map(({ built }) => built)).toEqual(names.map(() => true));
  });

  it('are gone, and set-up goes on, where they cannot be built any more', async () => {
    const options = { root, folder: join(root, 'folder') };
    await buildKernels(libtorch, options);
    const path = join(root, 'folder/convolution.node');
    expect(existsSync(path)).toBe(true);
    await writeSource('convolution', '#error "expected another compiler"\n');
    const results = await buildKernels(libtorch, options);
    expect(results[2]?.reason).toContain('expected another compiler');
    expect(existsSync(path)).toBe(false);
    const again = await buildKernels(libtorch, options);
    expect(again.map(({ built }) => built)).toEqual(names.map(() => false));
  });
});
