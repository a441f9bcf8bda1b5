/** Decoders of the compressed transfer syntaxes, whose WebAssembly is loaded when first needed. */
import { createRequire } from 'node:module';
import { BadImageError } from '../../images/badImage.ts';
import { sharp } from '../../images/sharp.ts';
import type { DecodedFrame } from './jpegLossless.ts';

interface FrameInfo {
  width: number;
  height: number;
  bitsPerSample: number;
  componentCount: number;
}

interface WasmDecoder {
  /** Memory for that many bytes, to be filled before `decode`. */
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  /** A view into memory that `delete` frees. */
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): FrameInfo;
  /** 0: one component after another; else by pixel. JPEG-LS alone. */
  getInterleaveMode?(): number;
  delete(): void;
}

interface WasmModule {
  J2KDecoder?: new () => WasmDecoder;
  JpegLSDecoder?: new () => WasmDecoder;
}

type CreateModule = (settings: {
  print: (text: string) => void;
  printErr: (text: string) => void;
}) => Promise<WasmModule>;

const require = createRequire(import.meta.url);
const modules = new Map<string, Promise<WasmModule>>();

function load(name: string): Promise<WasmModule> {
  let module = modules.get(name);
  if (!module) {
    const create: CreateModule = require(name);
    const silent = (): void => undefined;
    module = create({ print: silent, printErr: silent });
    modules.set(name, module);
  }
  return module;
}

/** @throws BadImageError */
export async function decodeJpeg2000(bytes: Uint8Array): Promise<DecodedFrame> {
  const name = '@cornerstonejs/codec-openjpeg/decodewasmjs';
  const { J2KDecoder } = await load(name);
  return decodeWith(J2KDecoder, bytes, name, 'JPEG 2000');
}

/** @throws BadImageError */
export async function decodeJpegLs(bytes: Uint8Array): Promise<DecodedFrame> {
  const name = '@cornerstonejs/codec-charls/decodewasmjs';
  const { JpegLSDecoder } = await load(name);
  return decodeWith(JpegLSDecoder, bytes, name, 'JPEG-LS');
}

function decodeWith(
  Decoder: (new () => WasmDecoder) | undefined,
  bytes: Uint8Array,
  module: string,
  format: string,
): DecodedFrame {
  if (!Decoder) throw new Error(`${module} lacks its decoder`);
  const decoder = new Decoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
    const copy = decoder.getDecodedBuffer().slice();
    const count = width * height * componentCount;
    const wide = bitsPerSample > 8;
    if (count === 0 || copy.length < count * (wide ? 2 : 1)) throw new Error('no picture');
    const samples = wide ? new Uint16Array(copy.buffer, 0, count) : copy.subarray(0, count);
    const planar = decoder.getInterleaveMode?.() === 0 && componentCount > 1;
    return {
      width,
      height,
      components: componentCount,
      bits: bitsPerSample,
      samples: planar ? interleave(samples, componentCount) : samples,
    };
  } catch {
    // The codecs throw addresses in their memory, and may be left unfit for the next picture.
    modules.delete(module);
    throw new BadImageError(`truncated or damaged ${format} data`);
  } finally {
    decoder.delete();
  }
}

/**
 * Baseline JPEG: lossy and 8 bits, as ultrasound and photographs come. Colours come out as RGB.
 * @throws BadImageError
 */
export async function decodeBaselineJpeg(
  bytes: Uint8Array,
  components: number,
): Promise<DecodedFrame> {
  try {
    const image = sharp(bytes, { failOn: 'error', ignoreIcc: true }).toColourspace(
      components === 1 ? 'b-w' : 'srgb',
    );
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    return { width, height, components: channels, bits: 8, samples: data };
  } catch {
    throw new BadImageError('truncated or damaged JPEG data');
  }
}

/** Samples of one component after another, pixel by pixel. */
export function interleave(
  planes: Uint8Array | Uint16Array,
  components: number,
): Uint8Array | Uint16Array {
  // Not `slice`, which for a Buffer is a view of the same bytes.
  const wide = planes instanceof Uint16Array;
  const result = wide ? new Uint16Array(planes.length) : new Uint8Array(planes.length);
  const pixels = planes.length / components;
  for (let component = 0; component < components; component++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      result[pixel * components + component] = planes[component * pixels + pixel] as number;
    }
  }
  return result;
}
