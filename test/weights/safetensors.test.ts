import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scope, tensor } from '../../src/tensor/index.ts';
import { readWeights, type StoredTensor, writeSafetensors } from '../../src/weights/index.ts';
import {
  describeTensors,
  type GoldenTensor,
  goldenPath,
  readGolden,
  readingError,
  temporaryFile,
  temporaryPath,
} from './support.ts';

/** A file of the given header text and data. */
function makeFile(header: string | Uint8Array, dataSize: number, claim?: number): string {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claim ?? json.length));
  return temporaryFile(Buffer.concat([length, json, Buffer.alloc(dataSize)]), '.safetensors');
}

const entry = (dtype: string, shape: unknown, offsets: unknown): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

describe('files of the safetensors library', () => {
  it('reads every dtype bit by bit, and the metadata', async () => {
    const file = await readWeights(goldenPath('library.safetensors'));
    const golden = readGolden<Record<string, GoldenTensor>>('library.json');
    expect(describeTensors(file.tensors)).toEqual(golden);
    expect(file.metadata).toEqual({ format: 'pt', source: 'naïve' });
  });

  it('names a dtype that it does not know', async () => {
    const error = await readingError(goldenPath('library-refused-float8.safetensors'));
    expect(error.message).toContain('tensor "weight": expected a dtype among F32');
    expect(error.message).toContain('got "F8_E4M3"');
  });
});

describe('damaged files', () => {
  const good = entry('F32', [2], [0, 8]);
  const deep = `${'['.repeat(1e6)}${']'.repeat(1e6)}`;
  const manyKeys = Array.from({ length: 200 }, (_, i) => `"${i}":0`).join();

  it.each([
    ['no header', '', 0, 'JSON'],
    ['no JSON', '{"a":', 0, 'JSON'],
    ['lines and escapes', '\n\u001b[31m{', 0, 'JSON'],
    ['bytes that are not UTF-8', Buffer.from('7b22ff223a317d', 'hex'), 0, 'JSON'],
    ['a list', '[]', 0, 'a JSON object'],
    ['a name twice', `{"a":${good},"a":${good}}`, 8, 'the key "a" twice'],
    ['a name twice, once escaped', `{"a":${good},"\\u0061":${good}}`, 8, 'the key "a" twice'],
    ['a key of a tensor twice', '{"a":{"dtype":"F32","dtype":"I32"}}', 0, 'the key "dtype" twice'],
    ['a tensor that is a number', '{"a":1}', 0, 'tensor "a"'],
    ['an unknown key', '{"a":{"dtype":"F32","shape":[],"offsets":[0,4]}}', 4, 'got "offsets"'],
    ['no dtype', '{"a":{"shape":[2],"data_offsets":[0,8]}}', 8, 'got none'],
    ['an unknown dtype', `{"a":${entry('F24', [2], [0, 8])}}`, 8, 'got "F24"'],
    ['a shape that is no list', `{"a":${entry('F32', 2, [0, 8])}}`, 8, 'a shape of whole numbers'],
    ['a negative size', `{"a":${entry('F32', [-2], [0, 8])}}`, 8, 'a shape of whole numbers'],
    ['half a size', `{"a":${entry('F32', [0.5], [0, 2])}}`, 2, 'a shape of whole numbers'],
    ['a huge shape', `{"a":${entry('F32', [2 ** 40], [0, 8])}}`, 8, '4398046511104 bytes'],
    ['a shape past counting', `{"a":${entry('F32', [2 ** 40, 2 ** 40], [0, 8])}}`, 8, 'countable'],
    ['one offset', `{"a":${entry('F32', [2], [0])}}`, 8, 'two data_offsets'],
    ['offsets in reverse', `{"a":${entry('F32', [2], [8, 0])}}`, 8, 'data_offsets [8, 0]'],
    ['offsets of another size', `{"a":${entry('F32', [2], [0, 4])}}`, 4, '8 bytes for F32 [2]'],
    ['offsets past 2^53', `{"a":${entry('F32', [2], [2 ** 60, 2 ** 60 + 8])}}`, 8, 'data_offsets'],
    ['an overlap', `{"a":${good},"b":${entry('F32', [2], [4, 12])}}`, 12, 'got 4, an overlap'],
    ['the same place twice', `{"a":${good},"b":${good}}`, 8, 'got 0, an overlap'],
    ['a gap', `{"a":${good},"b":${entry('F32', [2], [9, 17])}}`, 17, 'got 9, a gap'],
    ['a gap at the start', `{"a":${entry('F32', [2], [8, 16])}}`, 16, 'got 8, a gap'],
    ['too little data', `{"a":${good}}`, 7, 'truncated'],
    ['too much data', `{"a":${good}}`, 9, 'expected 8 bytes of data'],
    ['metadata of numbers', '{"__metadata__":{"epoch":3}}', 0, 'something else for "epoch"'],
    ['metadata that is a list', '{"__metadata__":["a"]}', 0, 'maps names to text'],
    ['a million lists in each other', `{"a":${deep}}`, 0, 'nesting deeper than 3'],
    ['a shape of a million sizes', `{"a":${entry('F32', Array(1e6).fill(1), [0, 4])}}`, 4, '64'],
    ['a million names', `{${'"a":{},'.repeat(1e6)}`, 0, 'twice'],
    [
      'a million keys in entries',
      `{${Array.from({ length: 5000 }, (_, i) => `"t${i}":{${manyKeys}}`).join()}}`,
      0,
      'more than 100000 keys',
    ],
  ])(
    'refuses %s',
    async (_, header, dataSize, message) => {
      const error = await readingError(makeFile(header, dataSize));
      expect(error.exitCode).toBe(1);
      expect(error.message).toContain(message);
    },
    10_000,
  );

  it('refuses a header over 100 MB and one longer than the file', async () => {
    const huge = await readingError(makeFile('{}', 0, 100_000_001));
    expect(huge.message).toContain('at most 100000000 bytes, got 100000001');
    const far = await readingError(makeFile('{}', 0, 2 ** 53));
    expect(far.message).toContain('at most 100000000 bytes');
    const long = await readingError(makeFile('{}', 0, 50));
    expect(long.message).toContain('truncated');
  });

  it.each(['', '{', '1234567'])('refuses a file of %j', async (text) => {
    await readingError(temporaryFile(Buffer.from(text), '.safetensors'));
  });

  it('accepts spaces after the header, an empty file of none, empty tensors', async () => {
    const file = await readWeights(
      makeFile(`{"a":${entry('F32', [0, 3], [0, 0])},"b":${entry('F32', [], [0, 4])}}   `, 4),
    );
    expect(file.tensors.get('a')).toMatchObject({ shape: [0, 3] });
    expect(file.tensors.get('b')).toMatchObject({ shape: [] });
    expect((await readWeights(makeFile('{}', 0))).tensors.size).toBe(0);
  });
});

describe('other files', () => {
  it.each([
    ['a page', '\n<!DOCTYPE html><html>', '.pth', 'a web page or XML'],
    ['a page named safetensors', '<html><head>', '.safetensors', 'a web page or XML'],
    ['an error of a store', '\ufeff<?xml version="1.0"?><Error>', '.pt', 'a web page or XML'],
    ['nothing', '', '.pth', 'an empty file'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\n', '.pth', 'git lfs pull'],
    ['text', 'hello, weights', '.pth', '14 bytes that start with'],
    ['a tar archive', `${'\0'.repeat(257)}ustar  \0`, '.pth', 'PyTorch 0.1'],
    ['a gzip file', '\x1f\x8b\x08', '.pth', 'gunzip'],
    ['an HDF5 file', '\x89HDF\r\n', '.h5', 'HDF5'],
    ['a bare pickle', '\x80\x04}.', '.pth', 'a bare Python pickle'],
  ])('says of %s what it is', async (_, content, suffix, message) => {
    const encoding = content.startsWith('\ufeff') ? 'utf8' : 'latin1';
    const error = await readingError(temporaryFile(Buffer.from(content, encoding), suffix));
    expect(error.message).toContain(message);
  });

  it('says of a missing file, a folder and a device that the request is wrong', async () => {
    const missing = await readingError(temporaryPath('missing.pth'));
    expect(missing.message).toContain('no such file');
    const folder = await readingError(dirname(temporaryPath('x')));
    expect(folder.message).toContain('a folder');
    const device = await readingError('/dev/zero');
    expect(device.message).toContain('no regular file');
    expect([missing.exitCode, folder.exitCode, device.exitCode]).toEqual([2, 2, 2]);
  });
});

describe('writing', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

  it('gives back every dtype, name, order and metadata', async () => {
    const { tensors } = await readWeights(goldenPath('library.safetensors'));
    const odd: [string, StoredTensor][] = ['10', '__proto__', 'ü "quoted"\n', 'constructor'].map(
      (name, index) => [name, { dtype: 'int8', shape: [1], bytes: bytes(index) }],
    );
    const all = new Map([...odd, ...tensors]);
    const path = temporaryPath('nested/folder/all.safetensors');
    await writeSafetensors(path, all, { epoch: '3', ключ: 'значение' });
    const again = await readWeights(path);
    expect([...again.tensors.keys()]).toEqual([...all.keys()]);
    expect(describeTensors(again.tensors)).toEqual(describeTensors(all));
    expect(again.metadata).toEqual({ epoch: '3', ключ: 'значение' });
    expect(readdirSync(dirname(path))).toEqual(['all.safetensors']);
  });

  it('starts every tensor at a multiple of its element size', async () => {
    const path = temporaryPath('aligned.safetensors');
    const small: StoredTensor = { dtype: 'int8', shape: [3], bytes: bytes(1, 2, 3) };
    const large: StoredTensor = { dtype: 'float64', shape: [1], bytes: new Uint8Array(8) };
    await writeSafetensors(
      path,
      new Map([
        ['a', small],
        ['b', large],
        ['c', small],
        ['d', large],
      ]),
    );
    const file = readFileSync(path);
    const headerLength = Number(file.readBigUInt64LE(0));
    expect(headerLength % 8).toBe(0);
    const header: Record<string, { data_offsets: number[] }> = JSON.parse(
      file.toString('utf8', 8, 8 + headerLength),
    );
    expect(header.b?.data_offsets).toEqual([0, 8]);
    expect(header.d?.data_offsets).toEqual([8, 16]);
  });

  it('is recognised whatever its header is long', async () => {
    for (let length = 2; length < 600; length++) {
      expect((await readWeights(makeFile('{}'.padEnd(length), 0))).format).toBe('safetensors');
    }
  });

  it('writes tensors of LibTorch whatever their layout', async () => {
    const path = temporaryPath('live.safetensors');
    const live = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] });
    const half = scope(() => live.to({ dtype: 'bfloat16' }));
    await writeSafetensors(
      path,
      new Map([
        ['live', live],
        ['half', half],
      ]),
    );
    const { tensors } = await readWeights(path);
    expect(tensors.get('half')).toMatchObject({ dtype: 'bfloat16', shape: [2, 3] });
    const stored = Buffer.from(tensors.get('live')?.bytes ?? []);
    expect(stored).toEqual(Buffer.from(new Float32Array([1, 2, 3, 4, 5, 6]).buffer));
    live.dispose();
    half.dispose();
  });

  it('removes what killed writers left, and nothing that may still be written', async () => {
    const path = temporaryPath('stale/best.safetensors');
    await writeSafetensors(path, new Map());
    const [old, young, other] = [
      '.best.safetensors.0123456789ab.tmp',
      '.best.safetensors.ba9876543210.tmp',
      '.best.safetensors.notes.tmp',
    ];
    for (const name of [old, young, other]) writeFileSync(join(dirname(path), name), 'half');
    const hourAgo = Date.now() / 1000 - 3600;
    for (const name of [old, other]) utimesSync(join(dirname(path), name), hourAgo, hourAgo);
    await writeSafetensors(path, new Map());
    expect(readdirSync(dirname(path)).sort()).toEqual([young, other, 'best.safetensors'].sort());
  });

  it('leaves the file that was there alone when it fails', async () => {
    const path = temporaryPath('kept.safetensors');
    writeFileSync(path, 'before');
    const wrong: StoredTensor = { dtype: 'float32', shape: [2], bytes: bytes(1, 2, 3) };
    await expect(writeSafetensors(path, new Map([['a', wrong]]))).rejects.toThrow(
      'expected a name, and 8 bytes for float32 [2], got 3 bytes',
    );
    const gone = tensor([1]);
    gone.dispose();
    await expect(writeSafetensors(path, new Map([['a', gone]]))).rejects.toThrow('a live tensor');
    expect(readFileSync(path, 'utf8')).toBe('before');
    const under = temporaryPath('kept.safetensors/below.safetensors');
    await expect(writeSafetensors(under, new Map())).rejects.toThrow();
    expect(existsSync(under)).toBe(false);
    expect(readdirSync(dirname(path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
