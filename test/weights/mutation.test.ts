/**
 * Damaged files, five hundred each: a reader either refuses with an error of the project's own, or gives
 * tensors that are right.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementSize } from '../../src/tensor/index.ts';
import { CarryoverError } from '../../src/util/index.ts';
import { readWeights, type WeightFile } from '../../src/weights/index.ts';
import {
  describeTensors,
  goldenPath,
  makeZip,
  temporaryFile,
  unpackZip,
  type ZipRecord,
} from './support.ts';

const cases = 500;

/** A change of a file: where (as a fraction of its length), how, and with which bytes. */
interface Mutation {
  kind: 'flip' | 'write' | 'insert' | 'remove' | 'cut' | 'repeat';
  at: number;
  bytes: Uint8Array;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'write', 'insert', 'remove', 'cut', 'repeat'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
});

function mutate(original: Uint8Array, { kind, at, bytes }: Mutation): Buffer {
  const content = Buffer.from(original);
  const place = Math.floor(at * content.length);
  const before = content.subarray(0, place);
  const after = content.subarray(place);
  switch (kind) {
    case 'flip':
      content[place] = (content[place] ?? 0) ^ (1 << ((bytes[0] ?? 0) % 8));
      return content;
    case 'write':
      content.set(bytes.subarray(0, content.length - place), place);
      return content;
    case 'insert':
      return Buffer.concat([before, bytes, after]);
    case 'remove':
      return Buffer.concat([before, after.subarray(bytes.length)]);
    case 'cut':
      return Buffer.from(before);
    case 'repeat':
      return Buffer.concat([before, before, after]);
  }
}

/** What reading gives: a file, or `undefined` after an error of the project's own. */
async function attempt(content: Uint8Array, suffix: string): Promise<WeightFile | undefined> {
  const path = temporaryFile(content, suffix);
  try {
    return await readWeights(path);
  } catch (error) {
    if (!(error instanceof CarryoverError)) throw error;
    expect(error.message).not.toContain('\n');
    return undefined;
  }
}

function expectConsistent(file: WeightFile): void {
  for (const { dtype, shape, bytes } of file.tensors.values()) {
    const count = shape.reduce((product, size) => product * size, 1);
    expect(bytes.byteLength).toBe(count * elementSize(dtype));
  }
}

const many = (...mutations: Mutation[][]) => ({
  numRuns: cases,
  examples: mutations.map((m) => [m] as [Mutation[]]),
});

describe('mutated files', () => {
  it.each(['torch1-every-kind.pth', 'torch2-training.pth'])(
    '%s: refused, or exactly right',
    async (name) => {
      const path = goldenPath(name);
      const original = readFileSync(path);
      const right = describeTensors((await readWeights(path)).tensors);
      await fc.assert(
        fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
          const file = await attempt(mutations.reduce(mutate, original), '.pth');
          if (file) expect(describeTensors(file.tensors)).toEqual(right);
        }),
        many([]),
      );
    },
  );

  it('a pickle under a checksum that fits: refused, or tensors that the storages hold', async () => {
    const records = unpackZip(readFileSync(goldenPath('torch2-every-kind.pth')));
    const isPickle = ({ name }: ZipRecord): boolean => name.endsWith('data.pkl');
    const pickle = records.find(isPickle)?.bytes ?? new Uint8Array(0);
    const storages = new Set(records.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
    const all = [...storages].join(' ');
    let read = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 2 }), async (mutations) => {
        const bytes = mutations.reduce(mutate, Buffer.from(pickle));
        const changed = records.map((record) => (isPickle(record) ? { ...record, bytes } : record));
        const file = await attempt(makeZip(changed), '.pth');
        if (!file) return;
        read += 1;
        expectConsistent(file);
        for (const { dtype, bytes: values } of file.tensors.values()) {
          const size = elementSize(dtype);
          const first = Buffer.from(values.subarray(0, size)).toString('hex');
          expect(all).toContain(first);
        }
      }),
      many([]),
    );
    expect(read).toBeGreaterThan(0);
  });

  it('library.safetensors: refused, or tensors that lie in the file', async () => {
    const path = goldenPath('library.safetensors');
    const original = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        const content = mutations.reduce(mutate, original);
        const file = await attempt(content, '.safetensors');
        if (!file) return;
        expectConsistent(file);
        const start = 8 + Number(content.readBigUInt64LE(0));
        const sizes = [...file.tensors.values()].map(({ bytes }) => bytes.byteLength);
        expect(sizes.reduce((sum, size) => sum + size, start)).toBe(content.length);
        for (const { bytes } of file.tensors.values()) {
          expect(content.subarray(start).includes(Buffer.from(bytes))).toBe(true);
        }
      }),
      many([]),
    );
  });
});
