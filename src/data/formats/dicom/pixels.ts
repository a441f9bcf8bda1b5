/** The stored samples of one frame of a DICOM file, from whatever transfer syntax (PS3.5 chapter 8, annex A). */
import dicomParser from 'dicom-parser';
import { BadImageError } from '../../images/badImage.ts';
import { decodeBaselineJpeg, decodeJpeg2000, decodeJpegLs, interleave } from './codecs.ts';
import { spread422 } from './colour.ts';
import { jpeg2000FrameSize, jpegFrameSize } from './frameSize.ts';
import type { DicomHeader } from './header.ts';
import { type DecodedFrame, decodeJpegLossless } from './jpegLossless.ts';
import { decodeRunLength } from './runLength.ts';

export interface StoredFrame {
  /** By pixel; whole numbers with their sign. */
  samples: Uint8Array | Uint16Array | Int16Array;
  /** True where decompression made RGB of another colour space. */
  isRgb: boolean;
}

const uid = '1.2.840.10008.1.2';
const nativeSyntaxes = [uid, `${uid}.1`, `${uid}.1.99`, `${uid}.2`];
const bigEndian = `${uid}.2`;

type Decoder = (bytes: Uint8Array, components: number) => DecodedFrame | Promise<DecodedFrame>;

const decoders = new Map<string, Decoder>([
  [`${uid}.4.50`, decodeBaselineJpeg],
  [`${uid}.4.57`, decodeJpegLossless],
  [`${uid}.4.70`, decodeJpegLossless],
  [`${uid}.4.80`, decodeJpegLs],
  [`${uid}.4.81`, decodeJpegLs],
  [`${uid}.4.90`, decodeJpeg2000],
  [`${uid}.4.91`, decodeJpeg2000],
]);

const otherSyntaxes: Record<string, string> = {
  [`${uid}.4.51`]: 'JPEG Extended',
  [`${uid}.4.92`]: 'JPEG 2000 Part 2',
  [`${uid}.4.93`]: 'JPEG 2000 Part 2',
  [`${uid}.4.100`]: 'MPEG-2',
  [`${uid}.4.102`]: 'MPEG-4',
  [`${uid}.4.107`]: 'HEVC',
  [`${uid}.4.110`]: 'JPEG XL',
  [`${uid}.4.201`]: 'High-Throughput JPEG 2000',
  [`${uid}.4.202`]: 'High-Throughput JPEG 2000',
  [`${uid}.4.203`]: 'High-Throughput JPEG 2000',
};

/** @param frame counted from 0. @throws BadImageError */
export async function readFrame(header: DicomHeader, frame: number): Promise<StoredFrame> {
  const { syntax, rows, columns, samplesPerPixel } = header;
  if (nativeSyntaxes.includes(syntax)) {
    return { samples: withSign(nativeFrame(header, frame), header), isRgb: false };
  }
  const bytes = () => compressedFrame(header, frame);
  if (syntax === `${uid}.5`) {
    return { samples: withSign(runLengthFrame(header, bytes()), header), isRgb: false };
  }
  const decode = decoders.get(syntax);
  if (!decode) {
    const name = otherSyntaxes[syntax];
    throw new BadImageError(
      `a DICOM file in transfer syntax ${syntax}${name ? ` (${name})` : ''}, which is not read: convert it to an uncompressed or lossless one`,
    );
  }
  const compressed = bytes();
  const size = (isJpeg2000(syntax) ? jpeg2000FrameSize : jpegFrameSize)(compressed);
  if (!size) throw new BadImageError('truncated or damaged: compressed pixels without a header');
  if (size.width !== columns || size.height !== rows) {
    throw new BadImageError(
      `compressed pixels of ${size.width} × ${size.height}, where the file says ${columns} × ${rows}`,
    );
  }
  const decoded = await decode(compressed, samplesPerPixel);
  if (decoded.components !== samplesPerPixel) {
    throw new BadImageError(
      `compressed pixels of ${decoded.components} samples, where the file says ${samplesPerPixel}`,
    );
  }
  if (decoded.samples.length !== rows * columns * samplesPerPixel) {
    throw new BadImageError(
      'truncated or damaged: compressed pixels of another size than they say',
    );
  }
  const isRgb = syntax === `${uid}.4.50` || isJpeg2000(syntax);
  return { samples: withSign(decoded.samples, header), isRgb };
}

function isJpeg2000(syntax: string): boolean {
  return syntax === `${uid}.4.90` || syntax === `${uid}.4.91`;
}

function nativeFrame(header: DicomHeader, frame: number): Uint8Array | Uint16Array {
  const { dataSet, rows, columns, samplesPerPixel, bitsAllocated, photometric, syntax } = header;
  const element = dataSet.elements.x7fe00010;
  const pixels = rows * columns;
  const halved = photometric === 'YBR_FULL_422';
  const count = halved ? Math.ceil(pixels / 2) * 4 : pixels * samplesPerPixel;
  const length = (count * bitsAllocated) / 8;
  const start = (element?.dataOffset ?? 0) + frame * length;
  const available = Math.min(
    (element?.length ?? 0) - frame * length,
    dataSet.byteArray.length - start,
  );
  if (element?.encapsulatedPixelData || available < length) {
    throw new BadImageError(
      `truncated: ${Math.max(0, available)} bytes of pixels, where ${length} were expected`,
    );
  }
  // A copy, aligned for 16-bit numbers.
  const bytes = Buffer.alloc(length);
  bytes.set(dataSet.byteArray.subarray(start, start + length));
  const swapped = syntax === bigEndian && (bitsAllocated === 16 || element?.vr === 'OW');
  if (swapped && length % 2 === 0) bytes.swap16();
  const samples =
    bitsAllocated === 16 ? new Uint16Array(bytes.buffer, bytes.byteOffset, count) : bytes;
  if (halved) return spread422(bytes, pixels);
  return header.planar && samplesPerPixel > 1 ? interleave(samples, samplesPerPixel) : samples;
}

function runLengthFrame(header: DicomHeader, bytes: Uint8Array): Uint8Array | Uint16Array {
  const { rows, columns, samplesPerPixel, bitsAllocated } = header;
  const pixels = rows * columns;
  const wide = bitsAllocated === 16;
  const planes = decodeRunLength(bytes, samplesPerPixel * (wide ? 2 : 1), pixels);
  if (!wide) return samplesPerPixel > 1 ? interleave(planes, samplesPerPixel) : planes;
  const samples = new Uint16Array(pixels * samplesPerPixel);
  for (let component = 0; component < samplesPerPixel; component++) {
    const upper = component * 2 * pixels;
    for (let pixel = 0; pixel < pixels; pixel++) {
      const high = planes[upper + pixel] as number;
      const low = planes[upper + pixels + pixel] as number;
      samples[pixel * samplesPerPixel + component] = (high << 8) | low;
    }
  }
  return samples;
}

/** The compressed bytes of a frame, joined from its fragments. */
function compressedFrame({ dataSet, frames }: DicomHeader, frame: number): Uint8Array {
  const element = dataSet.elements.x7fe00010;
  const fragments = element?.fragments ?? [];
  if (!element || fragments.length === 0) {
    throw new BadImageError('truncated: a DICOM file without compressed pixels');
  }
  try {
    if (frames === 1) {
      const { readEncapsulatedPixelDataFromFragments: read } = dicomParser;
      return Uint8Array.from(read(dataSet, element, 0, fragments.length));
    }
    if (fragments.length === frames) {
      return Uint8Array.from(
        dicomParser.readEncapsulatedPixelDataFromFragments(dataSet, element, frame),
      );
    }
    return Uint8Array.from(dicomParser.readEncapsulatedImageFrame(dataSet, element, frame));
  } catch (error) {
    throw new BadImageError(`truncated or damaged (frame ${frame}: ${String(error)})`);
  }
}

/** Samples from their bits: those that are stored, the highest of them the sign. */
function withSign(
  samples: Uint8Array | Uint16Array,
  { bitsStored, highBit, bitsAllocated, signed }: DicomHeader,
): StoredFrame['samples'] {
  const shift = highBit + 1 - bitsStored;
  if (!signed && shift === 0 && bitsStored === bitsAllocated) return samples;
  const mask = 2 ** bitsStored - 1;
  const sign = 2 ** (bitsStored - 1);
  const result = signed ? new Int16Array(samples.length) : new Uint16Array(samples.length);
  for (let index = 0; index < samples.length; index++) {
    const value = ((samples[index] as number) >> shift) & mask;
    result[index] = signed && value >= sign ? value - 2 * sign : value;
  }
  return result;
}
