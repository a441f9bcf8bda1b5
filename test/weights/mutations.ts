/**
 * Damaged files for both readers, by fast-check: a reader either refuses with an error of the project's own,
 * or gives tensors that are right. Shared by the tests, with some hundred cases each, and by
 * scripts/fuzz-weights.ts, with as many as are asked for.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { elementSize } from '../../src/tensor/index.ts';
import { CarryoverError } from '../../src/util/index.ts';
import { readWeights, type WeightFile } from '../../src/weights/index.ts';
import { describeTensors, goldenPath } from './goldenTensors.ts';
import { makeZip, unpackZip, type ZipRecord } from './zip.ts';

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

/** What came of the cases of one property. */
export interface MutationOutcome {
  cases: number;
  /** Cases that were read; the others were refused. */
  read: number;
  /** The longest that a case took, in milliseconds. */
  slowest: number;
}

/** A file that is damaged, and what must hold of every case. */
export interface MutationProperty {
  name: string;
  /** Runs so many cases. @throws Error with the smallest case that fails. */
  run(cases: number, seed?: number): Promise<MutationOutcome>;
}

function require(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Sizes agree with shapes and types. */
function requireConsistent(file: WeightFile): void {
  for (const [name, { dtype, shape, bytes }] of file.tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    require(bytes.byteLength === count * elementSize(dtype), `another size than it says: ${name}`);
  }
}

function requireEqual(actual: unknown, expected: unknown): void {
  require(JSON.stringify(actual) === JSON.stringify(expected), 'other tensors than the file held');
}

/** All bytes of every dense tensor stand in the file; a strided one's first element does. */
function requireContained(file: WeightFile, content: Buffer): void {
  for (const [name, { dtype, bytes }] of file.tensors) {
    const first = Buffer.from(bytes.subarray(0, elementSize(dtype)));
    require(content.includes(first), `an element that is not in the file: ${name}`);
  }
}

/**
 * A property of files made from mutations.
 * @param most Mutations of one case, at most.
 */
function property(
  name: string,
  suffix: string,
  make: (mutations: Mutation[]) => Buffer,
  check: (file: WeightFile, content: Buffer) => void,
  most = 3,
): MutationProperty {
  const run = async (cases: number, seed?: number): Promise<MutationOutcome> => {
    const folder = mkdtempSync(join(tmpdir(), 'carryover-mutations-'));
    const path = join(folder, `case${suffix}`);
    const outcome = { cases: 0, read: 0, slowest: 0 };
    const attempt = async (mutations: Mutation[]): Promise<void> => {
      const content = make(mutations);
      writeFileSync(path, content);
      const started = performance.now();
      try {
        const file = await readWeights(path);
        outcome.read += 1;
        check(file, content);
      } catch (error) {
        if (!(error instanceof CarryoverError)) throw error;
        require(!/\p{C}/u.test(error.message), 'an error with lines or escapes');
        require(error.message.length < 1500, 'an error of many words');
      } finally {
        outcome.cases += 1;
        outcome.slowest = Math.max(outcome.slowest, performance.now() - started);
      }
    };
    const mutations = fc.array(mutation, { minLength: 1, maxLength: most });
    try {
      await fc.assert(fc.asyncProperty(mutations, attempt), {
        numRuns: cases,
        examples: [[[]]],
        ...(seed === undefined ? {} : { seed }),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return outcome;
  };
  return { name, run };
}

/** An archive is guarded by checksums: what is read at all is what was written. */
async function guarded(name: string): Promise<MutationProperty> {
  const path = goldenPath(name);
  const original = readFileSync(path);
  const right = describeTensors((await readWeights(path)).tensors);
  return property(
    `${name}: refused, or exactly right`,
    '.pth',
    (mutations) => mutations.reduce(mutate, original),
    (file) => requireEqual(describeTensors(file.tensors), right),
  );
}

/** A pickle under a checksum that fits. */
function repacked(name: string): MutationProperty {
  const records = unpackZip(readFileSync(goldenPath(name)));
  const isPickle = (record: ZipRecord): boolean => record.name.endsWith('data.pkl');
  const pickle = Buffer.from(records.find(isPickle)?.bytes ?? []);
  return property(
    `the pickle of ${name}, its checksum right: refused, or tensors that the storages hold`,
    '.pth',
    (mutations) => {
      const bytes = mutations.reduce(mutate, pickle);
      return makeZip(records.map((record) => (isPickle(record) ? { ...record, bytes } : record)));
    },
    (file, content) => {
      requireConsistent(file);
      requireContained(file, content);
    },
    2,
  );
}

/** Nothing guards these formats: what is read lies in the file. */
function unguarded(name: string): MutationProperty {
  const original = readFileSync(goldenPath(name));
  return property(
    `${name}: refused, or tensors that lie in the file`,
    '.pth',
    (mutations) => mutations.reduce(mutate, original),
    (file, content) => {
      requireConsistent(file);
      requireContained(file, content);
    },
  );
}

/** The bytes after a header of JSON. */
function safetensors(name: string): MutationProperty {
  const original = readFileSync(goldenPath(name));
  return property(
    `${name}: refused, or tensors that tile the file`,
    '.safetensors',
    (mutations) => mutations.reduce(mutate, original),
    requireTiled,
  );
}

/** A header that is changed while its length is kept right, so that the damage reaches the JSON. */
function safetensorsHeader(name: string): MutationProperty {
  const original = readFileSync(goldenPath(name));
  const end = 8 + Number(original.readBigUInt64LE(0));
  return property(
    `the header of ${name}, its length right: refused, or tensors that tile the file`,
    '.safetensors',
    (mutations) => {
      const header = mutations.reduce(mutate, original.subarray(8, end));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      return Buffer.concat([length, header, original.subarray(end)]);
    },
    requireTiled,
  );
}

function requireTiled(file: WeightFile, content: Buffer): void {
  requireConsistent(file);
  const start = 8 + Number(content.readBigUInt64LE(0));
  const sizes = [...file.tensors.values()].map(({ bytes }) => bytes.byteLength);
  const total = sizes.reduce((sum, size) => sum + size, start);
  require(total === content.length, 'tensors that do not fill the file');
  for (const [name, { bytes }] of file.tensors) {
    const found = content.subarray(start).includes(Buffer.from(bytes));
    require(found, `bytes that are not in the file: ${name}`);
  }
}

/** Every property, of both readers and all layouts. */
export async function mutationProperties(): Promise<MutationProperty[]> {
  return [
    await guarded('torch1-every-kind.pth'),
    await guarded('torch2-training.pth'),
    repacked('torch2-every-kind.pth'),
    unguarded('torch1-legacy-every-kind.pth'),
    unguarded('torch0-tar.pth'),
    safetensors('library.safetensors'),
    safetensorsHeader('library.safetensors'),
  ];
}
