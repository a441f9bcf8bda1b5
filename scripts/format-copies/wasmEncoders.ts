/** Lossless JPEG 2000 and JPEG-LS, written by the same libraries that the decoders come from. */
import { createRequire } from 'node:module';
import type { Frame } from './runLength.ts';

interface WasmEncoder {
  getDecodedBuffer(info: {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned: boolean;
  }): Uint8Array;
  setDecompositions?(count: number): void;
  setQuality?(lossless: boolean, ratio: number): void;
  setNearLossless?(near: number): void;
  setInterleaveMode?(mode: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
}

interface WasmModule {
  J2KEncoder?: new () => WasmEncoder;
  JpegLSEncoder?: new () => WasmEncoder;
}

type CreateModule = (settings: { print: (text: string) => void }) => Promise<WasmModule>;

const require = createRequire(import.meta.url);

const modules = new Map<string, Promise<WasmModule>>();

function load(name: string): Promise<WasmModule> {
  const known = modules.get(name);
  if (known) return known;
  const create: CreateModule = require(name);
  const module = create({ print: () => undefined });
  modules.set(name, module);
  return module;
}

export async function encodeJpeg2000(frame: Frame): Promise<Buffer> {
  const { J2KEncoder } = await load('@cornerstonejs/codec-openjpeg/wasmjs');
  return encode(J2KEncoder, frame, (encoder) => {
    encoder.setQuality?.(true, 0);
    // Each halves the picture, of which something must be left.
    const halvings = Math.floor(Math.log2(Math.min(frame.width, frame.height))) - 1;
    encoder.setDecompositions?.(Math.min(5, Math.max(0, halvings)));
  });
}

export async function encodeJpegLs(frame: Frame): Promise<Buffer> {
  const { JpegLSEncoder } = await load('@cornerstonejs/codec-charls/wasmjs');
  return encode(JpegLSEncoder, frame, (encoder) => {
    encoder.setNearLossless?.(0);
    encoder.setInterleaveMode?.(frame.components > 1 ? 2 : 0);
  });
}

function encode(
  Encoder: (new () => WasmEncoder) | undefined,
  { width, height, components, bits, samples }: Frame,
  prepare: (encoder: WasmEncoder) => void,
): Buffer {
  if (!Encoder) throw new Error('a codec without its encoder');
  const encoder = new Encoder();
  try {
    const isSigned = samples instanceof Int16Array;
    const info = { width, height, bitsPerSample: bits, componentCount: components, isSigned };
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    encoder.getDecodedBuffer(info).set(bytes);
    prepare(encoder);
    encoder.encode();
    return Buffer.from(encoder.getEncodedBuffer());
  } finally {
    encoder.delete();
  }
}
