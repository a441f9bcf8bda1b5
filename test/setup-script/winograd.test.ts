import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLibtorch } from '../../scripts/setup/libtorch.mjs';
import { buildWinogradAddon, findOnednn } from '../../scripts/setup/winograd.mjs';

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const libtorch = findLibtorch();
let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'carryover-winograd-'));
  await mkdir(join(root, 'native/winograd'), { recursive: true });
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const record = async (): Promise<{ path?: string; reason?: string }> =>
  JSON.parse(await readFile(join(root, 'native/build/winograd.json'), 'utf8'));

/** In place of the addon's source, which takes long. */
const writeSource = (text: string) => writeFile(join(root, 'native/winograd/winograd.cc'), text);

async function writeHeader(text: string): Promise<string> {
  const path = join(root, 'dnnl.hpp');
  await writeFile(path, text);
  return path;
}

describe('oneDNN', () => {
  it('is taken from the system only by a LibTorch of the system', async () => {
    const include = join(root, 'include');
    const lib = join(root, 'lib');
    await mkdir(join(include, 'oneapi/dnnl'), { recursive: true });
    await mkdir(lib);
    const header = join(include, 'oneapi/dnnl/dnnl.hpp');
    const place = { place: root, include, systemInclude: false, lib, version: '1.13.0' };
    const system = { ...place, kind: 'system', cxx11Abi: true, cuda: false };
    await writeFile(header, '');
    expect(findOnednn(system)).toBeUndefined();
    await writeFile(join(lib, 'libdnnl.so'), '');
    expect(findOnednn(system)).toBe(header);
    expect(findOnednn({ ...system, kind: 'python' })).toBeUndefined();
    await rm(header);
    expect(findOnednn(system)).toBeUndefined();
  });
});

describe.skipIf(!libtorch || !findOnednn(libtorch))('the addon for 3 × 3 convolutions', () => {
  if (!libtorch) return;

  it('lies beside the one for LibTorch, and is built again where that lies elsewhere', async () => {
    await writeSource('int nothing() { return 0; }\n');
    const folder = join(root, 'first');
    const first = await buildWinogradAddon(libtorch, { root, folder });
    expect(first).toMatchObject({ built: true, path: join(folder, 'winograd.node'), warnings: '' });
    expect(await record()).toMatchObject({ path: first.path });
    expect(await buildWinogradAddon(libtorch, { root, folder })).toMatchObject({ built: false });
    const other = join(root, 'second');
    expect(await buildWinogradAddon(libtorch, { root, folder: other })).toMatchObject({
      built: true,
      path: join(other, 'winograd.node'),
    });
  });

  it('is gone, and set-up goes on, where it cannot be built any more', async () => {
    await writeSource('int nothing() { return 0; }\n');
    const folder = join(root, 'folder');
    const options = { root, folder, header: await writeHeader('') };
    await buildWinogradAddon(libtorch, options);
    expect(existsSync(join(folder, 'winograd.node'))).toBe(true);
    await writeSource('#error "expected oneDNN 2"\n');
    const result = await buildWinogradAddon(libtorch, options);
    expect(result.reason).toContain('expected oneDNN 2');
    expect(existsSync(join(folder, 'winograd.node'))).toBe(false);
    expect(await buildWinogradAddon(libtorch, options)).toMatchObject({ built: false });
  });

  it('is told of once where there are no headers', async () => {
    await cp(join(project, 'native/winograd'), join(root, 'native/winograd'), { recursive: true });
    const options = { root, folder: join(root, 'folder'), header: '' };
    expect(await buildWinogradAddon(libtorch, options)).toMatchObject({ built: true });
    expect((await record()).reason).toContain('libdnnl-dev');
    expect(await buildWinogradAddon(libtorch, options)).toMatchObject({ built: false });
  });
});
