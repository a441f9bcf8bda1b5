import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildArguments } from '../../scripts/setup/addon.mjs';
import { findLibtorch, libtorchFolder } from '../../scripts/setup/libtorch.mjs';

const stringFunction = '_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_string';
const library = process.platform === 'darwin' ? 'dylib' : 'so';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-libtorch-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A folder with just what is looked at in a LibTorch. */
async function fakeLibtorch(
  name: string,
  { version = '2.4.1', symbols = stringFunction, libraries = ['torch', 'torch_cpu', 'c10'] } = {},
): Promise<string> {
  const root = join(folder, name);
  const header = join(root, 'include/torch/csrc/api/include/torch');
  await mkdir(header, { recursive: true });
  await mkdir(join(root, 'lib'));
  const [major, minor, patch] = version.split('.');
  await writeFile(
    join(header, 'version.h'),
    `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
  );
  for (const each of libraries) {
    await writeFile(join(root, `lib/lib${each}.${library}`), each === 'c10' ? symbols : '');
  }
  return root;
}

/** A Python environment whose `python` names `package` as the place of torch. */
async function fakePython(place: string): Promise<string> {
  const home = join(folder, 'environment');
  await mkdir(join(home, 'bin'), { recursive: true });
  await writeFile(join(home, 'bin/python'), `#!/bin/sh\necho '${place}'\n`);
  await chmod(join(home, 'bin/python'), 0o755);
  return home;
}

describe('where LibTorch is looked for', () => {
  it('LIBTORCH comes first, then the active Python', async () => {
    const zip = await fakeLibtorch('zip');
    const home = await fakePython(await fakeLibtorch('package', { version: '2.6.0' }));
    const path = '/nowhere';
    const both = findLibtorch({ LIBTORCH: zip, VIRTUAL_ENV: home, PATH: path });
    expect(both).toMatchObject({ kind: 'folder', place: zip, version: '2.4.1' });
    expect(findLibtorch({ VIRTUAL_ENV: home, PATH: path })).toMatchObject({
      kind: 'python',
      version: '2.6.0',
    });
    expect(findLibtorch({ CONDA_PREFIX: home, PATH: path })).toMatchObject({ kind: 'python' });
  });

  it('a Python without torch, or with one that cannot be linked, is passed over', async () => {
    const empty = await fakePython('');
    expect(findLibtorch({ VIRTUAL_ENV: empty, PATH: '/nowhere' })?.kind).not.toBe('python');
    const noHeaders = await fakePython(join(folder, 'elsewhere'));
    expect(findLibtorch({ VIRTUAL_ENV: noHeaders, PATH: '/nowhere' })?.kind).not.toBe('python');
  });

  it('a LIBTORCH that is no LibTorch is an error that says what one looks like', () => {
    expect(() => findLibtorch({ LIBTORCH: folder })).toThrow(
      /^LIBTORCH: expected a folder with include\/.*version\.h and lib\/libtorch_cpu/,
    );
  });
});

describe('what is read from a LibTorch', () => {
  it('the string ABI, from a mangled name', async () => {
    if (process.platform !== 'linux') return;
    const current = libtorchFolder(await fakeLibtorch('new'), 'test');
    const former = libtorchFolder(await fakeLibtorch('old', { symbols: 'ENSs' }), 'test');
    expect([current.cxx11Abi, former.cxx11Abi]).toEqual([true, false]);
    const flags = buildArguments(former, { root: folder }).compile;
    expect(flags).toContain('-D_GLIBCXX_USE_CXX11_ABI=0');
  });

  it('the C++ standard that its headers need', async () => {
    const standard = async (version: string) => {
      const found = libtorchFolder(await fakeLibtorch(version, { version }), 'test');
      return buildArguments(found, { root: folder }).compile[0];
    };
    expect(await standard('1.13.1')).toBe('-std=c++17');
    expect(await standard('2.9.0')).toBe('-std=c++17');
    expect(await standard('2.13.0')).toBe('-std=c++20');
    expect(await standard('3.0.0')).toBe('-std=c++20');
  });

  it('CUDA libraries are linked where there are any', async () => {
    const libraries = ['torch', 'torch_cpu', 'c10', 'torch_cuda', 'c10_cuda'];
    const cuda = libtorchFolder(await fakeLibtorch('cuda', { libraries }), 'test');
    expect(cuda.cuda).toBe(true);
    const { link } = buildArguments(cuda, { root: folder });
    expect(link.slice(-2)).toEqual(['-ltorch_cuda', '-lc10_cuda']);
    const plain = libtorchFolder(await fakeLibtorch('plain'), 'test');
    expect(buildArguments(plain, { root: folder }).link.at(-1)).toBe('-lc10');
  });

  it('a sanitizer goes to the compiler and the linker', async () => {
    const found = libtorchFolder(await fakeLibtorch('zip'), 'test');
    const { compile, link } = buildArguments(found, { root: folder, sanitize: 'address' });
    expect(compile).toContain('-fsanitize=address');
    expect(link).toContain('-fsanitize=address');
  });
});
