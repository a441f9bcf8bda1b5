/** Writes DICOM files (PS3.5, PS3.10) in any of the lossless transfer syntaxes, for tests and trials. */
import { deflateRawSync } from 'node:zlib';
import { encodeJpegLossless } from './jpegLossless.ts';
import { encodeRunLength } from './runLength.ts';
import { encodeJpeg2000, encodeJpegLs } from './wasmEncoders.ts';

export interface DicomPixels {
  rows: number;
  columns: number;
  /** Samples by pixel, frame after frame. */
  samples: Uint8Array | Uint16Array | Int16Array;
  samplesPerPixel?: 1 | 3;
  photometric?: string;
  bitsStored?: number;
  frames?: number;
}

export const syntaxes = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  bigEndian: '1.2.840.10008.1.2.2',
  jpegLossless: '1.2.840.10008.1.2.4.57',
  jpegLosslessFirst: '1.2.840.10008.1.2.4.70',
  jpegLs: '1.2.840.10008.1.2.4.80',
  jpeg2000: '1.2.840.10008.1.2.4.90',
  runLength: '1.2.840.10008.1.2.5',
} as const;

const baselineJpeg = '1.2.840.10008.1.2.4.50';

export type SyntaxName = keyof typeof syntaxes;

/** An element: its tag as eight hex digits, its value representation, its value. */
export interface DicomElement {
  tag: string;
  vr: string;
  /** Items of a sequence are lists of elements. */
  value: string | readonly number[] | Uint8Array | readonly (readonly DicomElement[])[];
}

interface Encoding {
  explicit: boolean;
  little: boolean;
}

export interface DicomOptions {
  syntax?: SyntaxName;
  /** Further elements, or others in place of those that the pixels give. */
  elements?: readonly DicomElement[];
  /** Tags that are left out, as a damaged file's. */
  without?: readonly string[];
  /** A baseline JPEG of the pixels, in their place. */
  compressed?: Uint8Array;
  /** Without preamble and file meta information, as old files are. */
  bare?: boolean;
}

export async function dicomFile(pixels: DicomPixels, options: DicomOptions = {}): Promise<Buffer> {
  const { syntax = 'explicit', elements = [], without = [], bare = false, compressed } = options;
  const encoding = {
    explicit: syntax !== 'implicit',
    little: syntax !== 'bigEndian',
  };
  const named = new Map<string, DicomElement>();
  for (const element of [...pixelElements(pixels), ...elements]) named.set(element.tag, element);
  for (const tag of without) named.delete(tag);
  const sorted = [...named.values()].sort((a, b) => (a.tag < b.tag ? -1 : 1));
  const body = Buffer.concat([
    ...sorted.map((element) => encodeElement(element, encoding)),
    ...(without.includes('7fe00010')
      ? []
      : [compressed ? encapsulated([compressed]) : await pixelData(pixels, syntax, encoding)]),
  ]);
  if (bare) return body;
  const meta = metaInformation(compressed ? baselineJpeg : syntaxes[syntax]);
  return Buffer.concat([meta, syntax === 'deflated' ? deflateRawSync(body) : body]);
}

function pixelElements(pixels: DicomPixels): DicomElement[] {
  const { rows, columns, samples, samplesPerPixel = 1, frames = 1 } = pixels;
  const bitsAllocated = samples.BYTES_PER_ELEMENT * 8;
  const { bitsStored = bitsAllocated } = pixels;
  const photometric = pixels.photometric ?? (samplesPerPixel === 3 ? 'RGB' : 'MONOCHROME2');
  return [
    { tag: '00080016', vr: 'UI', value: '1.2.840.10008.5.1.4.1.1.7' },
    { tag: '00080018', vr: 'UI', value: '1.2.3.4' },
    { tag: '00080060', vr: 'CS', value: 'OT' },
    { tag: '00280002', vr: 'US', value: [samplesPerPixel] },
    { tag: '00280004', vr: 'CS', value: photometric },
    ...(samplesPerPixel === 3 ? [{ tag: '00280006', vr: 'US', value: [0] }] : []),
    ...(frames > 1 ? [{ tag: '00280008', vr: 'IS', value: String(frames) }] : []),
    { tag: '00280010', vr: 'US', value: [rows] },
    { tag: '00280011', vr: 'US', value: [columns] },
    { tag: '00280100', vr: 'US', value: [bitsAllocated] },
    { tag: '00280101', vr: 'US', value: [bitsStored] },
    { tag: '00280102', vr: 'US', value: [bitsStored - 1] },
    { tag: '00280103', vr: 'US', value: [samples instanceof Int16Array ? 1 : 0] },
  ];
}

async function pixelData(
  pixels: DicomPixels,
  syntax: SyntaxName,
  encoding: Encoding,
): Promise<Buffer> {
  const { samples, frames = 1 } = pixels;
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const isNative = ['implicit', 'explicit', 'deflated', 'bigEndian'].includes(syntax);
  if (isNative) {
    const wide = samples.BYTES_PER_ELEMENT === 2;
    const value = !encoding.little && wide ? Buffer.from(bytes).swap16() : bytes;
    return encodeElement({ tag: '7fe00010', vr: wide ? 'OW' : 'OB', value }, encoding);
  }
  const fragments: Buffer[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const length = samples.length / frames;
    const part = samples.slice(frame * length, (frame + 1) * length);
    fragments.push(await encodeFrame(pixels, part, syntax));
  }
  return encapsulated(fragments);
}

/** An empty table of offsets, then a fragment for each frame. */
function encapsulated(fragments: readonly Uint8Array[]): Buffer {
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
  return Buffer.concat([header, item(Buffer.alloc(0)), ...fragments.map(item), end]);
}

function item(bytes: Uint8Array): Buffer {
  const padded = even(Buffer.from(bytes), 0);
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(padded.length, 4);
  return Buffer.concat([head, padded]);
}

async function encodeFrame(
  { rows, columns, samplesPerPixel = 1, bitsStored }: DicomPixels,
  samples: DicomPixels['samples'],
  syntax: SyntaxName,
): Promise<Buffer> {
  const bits = bitsStored ?? samples.BYTES_PER_ELEMENT * 8;
  const frame = { width: columns, height: rows, components: samplesPerPixel, bits, samples };
  if (syntax === 'runLength') return encodeRunLength(frame);
  if (syntax === 'jpegLs') return encodeJpegLs(frame);
  if (syntax === 'jpeg2000') return encodeJpeg2000(frame);
  return encodeJpegLossless(frame, syntax === 'jpegLossless' ? 4 : 1);
}

/** Representations whose length takes four bytes. */
const longForms = new Set(['OB', 'OW', 'SQ', 'UN', 'UT']);

function encodeElement({ tag, vr, value }: DicomElement, encoding: Encoding): Buffer {
  const bytes = encodeValue(vr, value, encoding);
  const { explicit, little } = encoding;
  const long = explicit && longForms.has(vr);
  const head = Buffer.alloc(long ? 12 : 8);
  const word = (at: number, number: number): number =>
    little ? head.writeUInt16LE(number, at) : head.writeUInt16BE(number, at);
  const double = (at: number, number: number): number =>
    little ? head.writeUInt32LE(number, at) : head.writeUInt32BE(number, at);
  word(0, Number.parseInt(tag.slice(0, 4), 16));
  word(2, Number.parseInt(tag.slice(4), 16));
  if (explicit) head.write(vr, 4, 'latin1');
  if (long) double(8, bytes.length);
  else if (explicit) word(6, bytes.length);
  else double(4, bytes.length);
  return Buffer.concat([head, bytes]);
}

function encodeValue(vr: string, value: DicomElement['value'], encoding: Encoding): Buffer {
  if (typeof value === 'string') return even(Buffer.from(value, 'latin1'), vr === 'UI' ? 0 : 32);
  if (value instanceof Uint8Array) return even(Buffer.from(value), 0);
  if (vr === 'SQ') {
    const items = value.filter((each) => typeof each !== 'number');
    return Buffer.concat(items.map((elements) => sequenceItem(elements, encoding)));
  }
  const numbers = value.filter((each) => typeof each === 'number');
  const bytes = Buffer.alloc(numbers.length * 2);
  numbers.forEach((number, index) => {
    const unsigned = number & 0xffff;
    if (encoding.little) bytes.writeUInt16LE(unsigned, index * 2);
    else bytes.writeUInt16BE(unsigned, index * 2);
  });
  return bytes;
}

function sequenceItem(elements: readonly DicomElement[], encoding: Encoding): Buffer {
  const body = Buffer.concat(elements.map((element) => encodeElement(element, encoding)));
  const head = Buffer.alloc(8);
  if (encoding.little) {
    head.writeUInt32LE(0xe000fffe, 0);
    head.writeUInt32LE(body.length, 4);
  } else {
    head.writeUInt32BE(0xfffee000, 0);
    head.writeUInt32BE(body.length, 4);
  }
  return Buffer.concat([head, body]);
}

function metaInformation(syntax: string): Buffer {
  const encoding = { explicit: true, little: true };
  const elements = [
    { tag: '00020001', vr: 'OB', value: new Uint8Array([0, 1]) },
    { tag: '00020002', vr: 'UI', value: '1.2.840.10008.5.1.4.1.1.7' },
    { tag: '00020003', vr: 'UI', value: '1.2.3.4' },
    { tag: '00020010', vr: 'UI', value: syntax },
    { tag: '00020012', vr: 'UI', value: '1.2.3' },
  ].map((element) => encodeElement(element, encoding));
  const rest = Buffer.concat(elements);
  const length = Buffer.alloc(12);
  length.write('\x02\0\0\0UL\x04\0', 0, 'latin1');
  length.writeUInt32LE(rest.length, 8);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, rest]);
}

function even(bytes: Buffer, padding: number): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([padding])]);
}
