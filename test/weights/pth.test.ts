import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listWeights, readWeights } from '../../src/weights/index.ts';
import {
  describeTensors,
  type GoldenTensor,
  goldenPath,
  makeZip,
  readGolden,
  readingError,
  temporaryFile,
  unpackZip,
} from './support.ts';

type Golden = Record<string, Record<string, GoldenTensor>>;

const wrapperOf: Record<string, string | undefined> = {
  model: 'model',
  ema: 'model_ema',
  training: 'state_dict',
};

describe.each(['torch1', 'torch2'])('checkpoints of %s', (version) => {
  const golden = readGolden<Golden>(`${version}.json`);

  it.each(Object.keys(golden))('reads %s bit by bit', async (name) => {
    const file = await readWeights(goldenPath(`${version}-${name}.pth`));
    expect(file.format).toBe('pth');
    expect(describeTensors(file.tensors)).toEqual(golden[name]);
    expect([...file.tensors.keys()]).toEqual(Object.keys(golden[name] ?? {}));
    expect(file.metadata.wrapper).toBe(wrapperOf[name]);
  });

  it('lists what it reads', async () => {
    const path = goldenPath(`${version}-every-kind.pth`);
    const listing = await listWeights(path);
    const file = await readWeights(path);
    const described = [...file.tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]);
    expect([...listing.tensors]).toEqual(described);
  });

  it.each([
    ['namespace', 'argparse.Namespace', 'save its weights alone with Python'],
    ['module', 'torch.nn.modules.linear.Linear', '.state_dict()'],
    ['call', 'posix.system', 'no code of a checkpoint is ever run'],
    ['complex', 'torch.ComplexFloatStorage', 'real-valued'],
    ['sparse', 'torch._utils._rebuild_sparse_tensor', 'dense'],
    ['tensor', 'a tensor', 'state_dict'],
    ['list', 'a list of 1', 'state_dict'],
    ['mixed', '"text" under "note"', 'tensors alone under "model"'],
    ['script', 'a TorchScript program', 'torch.jit.load'],
  ])('refuses %s and says so', async (name, got, hint) => {
    const error = await readingError(goldenPath(`${version}-refused-${name}.pth`));
    expect(error.exitCode).toBe(1);
    expect(error.message).toContain(got);
    expect(error.message).toContain(hint);
  });
});

describe('archives', () => {
  const bytes = readFileSync(goldenPath('torch2-plain.pth'));
  const records = unpackZip(bytes);
  const pathOf = (name: string): string | undefined =>
    records.find((record) => record.name.endsWith(name))?.name;

  it('reads one that was packed anew', async () => {
    const original = await readWeights(goldenPath('torch2-plain.pth'));
    const again = await readWeights(temporaryFile(makeZip(records), '.pt'));
    expect(describeTensors(again.tensors)).toEqual(describeTensors(original.tensors));
  });

  it('reads one without checksums, as PyTorch writes with set_crc32_options(False)', async () => {
    const bare = records.map((record) => ({ ...record, claim: { crc32: 0 } }));
    const original = await readWeights(goldenPath('torch2-plain.pth'));
    const again = await readWeights(temporaryFile(makeZip(bare), '.pth'));
    expect(describeTensors(again.tensors)).toEqual(describeTensors(original.tensors));
  });

  it.each([1, 30, 100, bytes.length - 200, bytes.length - 30, bytes.length - 1])(
    'refuses one that ends after %i bytes',
    async (length) => {
      const error = await readingError(temporaryFile(bytes.subarray(0, length), '.pth'));
      expect(error.message).toMatch(/download it again/);
    },
  );

  const broken = (name: string, claim: { crc32?: number; method?: number; size?: number }) =>
    makeZip(records.map((record) => (record.name.endsWith(name) ? { ...record, claim } : record)));

  it.each([
    ['a record whose checksum is wrong', broken('data/0', { crc32: 1 }), 'matches its checksum'],
    ['a compressed record', broken('data/0', { method: 8 }), 'a compressed one'],
    ['a record of an unknown method', broken('data/0', { method: 99 }), 'a compressed one'],
    ['a record past the end', broken('data/0', { size: 2 ** 31 }), 'records that lie apart'],
    ['a storage of another size', broken('data/0', { size: 8 }), 'bytes of data for "0.weight"'],
    [
      'a record twice',
      makeZip([...records, { name: pathOf('data/0') ?? '', bytes: new Uint8Array(4) }]),
      'every record once',
    ],
    [
      'big-endian tensors',
      makeZip(
        records.map((record) =>
          record.name.endsWith('byteorder') ? { ...record, bytes: Buffer.from('big') } : record,
        ),
      ),
      'byte order "big"',
    ],
    [
      'a missing storage',
      makeZip(records.filter(({ name }) => !name.endsWith('data/0'))),
      'no record data/0',
    ],
    ['an archive of other things', makeZip([{ name: 'a.txt', bytes }]), 'of other things (a.txt)'],
    ['an empty archive', makeZip([]), 'an empty zip archive'],
    [
      'records that share bytes',
      makeZip(
        Array.from({ length: 40 }, (_, index) => ({
          name: `x/data/${index}`,
          bytes: new Uint8Array(0),
          claim: { size: 1000, offset: 0 },
        })),
      ),
      'records that overlap',
    ],
    [
      'too many records',
      makeZip(
        Array.from({ length: 11_000 }, (_, i) => ({ name: `${i}`, bytes: new Uint8Array(0) })),
      ),
      'at most 10000 records',
    ],
  ])('refuses %s', async (_, archive, message) => {
    const error = await readingError(temporaryFile(archive, '.pth'));
    expect(error.message).toContain(message);
  });
});
