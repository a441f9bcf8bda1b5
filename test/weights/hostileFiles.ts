/** Files made to exhaust a reader: small recipes of what would be huge if it were believed. */
import { dictionary, pickle, tensor, whole } from './pickleWriter.ts';
import { makeZip } from './zip.ts';

function safetensors(header: Buffer, dataSize = 0, claim = header.length): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claim));
  return Buffer.concat([length, header, Buffer.alloc(dataSize)]);
}

const pth = (pickled: Uint8Array, storage = new Uint8Array(16)): Buffer =>
  makeZip([
    { name: 'x/data.pkl', bytes: pickled },
    { name: 'x/data/0', bytes: storage },
  ]);

const repeated = (piece: string, count: number): Buffer => Buffer.alloc(count, piece, 'latin1');

/** Each by name, with the suffix that it has. */
export const hostileFiles: Record<string, () => { bytes: Buffer; suffix: string }> = {
  'a header of 99 MB of spaces': () => ({
    bytes: safetensors(Buffer.alloc(99_000_000, ' ')),
    suffix: '.safetensors',
  }),
  'a header of one key of 99 MB': () => ({
    bytes: safetensors(Buffer.concat([Buffer.from('{"'), Buffer.alloc(99_000_000, 'a')])),
    suffix: '.safetensors',
  }),
  'a header of 99 MB of lists in each other': () => ({
    bytes: safetensors(Buffer.alloc(99_000_000, '[')),
    suffix: '.safetensors',
  }),
  'a header of 99 MB of empty entries': () => ({
    bytes: safetensors(repeated('"a":{},', 98_000_000)),
    suffix: '.safetensors',
  }),
  'a header that says 100 MB and one byte': () => ({
    bytes: safetensors(Buffer.from('{}'), 0, 100_000_001),
    suffix: '.safetensors',
  }),
  'a tensor of 2^60 bytes': () => ({
    bytes: safetensors(
      Buffer.from(`{"a":{"dtype":"U8","shape":[${2 ** 50}],"data_offsets":[0,${2 ** 50}]}}`),
      8,
    ),
    suffix: '.safetensors',
  }),
  'ten million lists, each in the one before': () => ({
    bytes: pth(whole(pickle(repeated(']', 1e7), repeated('a', 1e7 - 1)))),
    suffix: '.pth',
  }),
  'ten million marks': () => ({ bytes: pth(whole(repeated('(', 1e7))), suffix: '.pth' }),
  'sixteen million empty tuples': () => ({
    bytes: pth(whole(repeated(')', 1.6e7))),
    suffix: '.pth',
  }),
  'a legacy file of ten million lists': () => ({
    bytes: Buffer.concat([
      Buffer.from('80028a0a6cfc9c46f9206aa850192e80024de9032e80027d2e', 'hex'),
      whole(repeated(']', 1e7)),
    ]),
    suffix: '.pth',
  }),
  'a legacy file of an endless pickle': () => ({
    bytes: Buffer.concat([
      Buffer.from('80028a0a6cfc9c46f9206aa850192e80024de9032e80027d2e', 'hex'),
      repeated('N0', 2e8),
    ]),
    suffix: '.pth',
  }),
  'a shape of 2^40 numbers over sixteen bytes': () => ({
    bytes: pth(whole(dictionary({ weight: tensor({ shape: [2 ** 40], strides: [0] }) }))),
    suffix: '.pth',
  }),
};
