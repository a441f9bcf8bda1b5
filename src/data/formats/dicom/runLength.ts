/** DICOM's RLE Lossless: byte planes, each packed with PackBits (PS3.5 annex G). */
import { BadImageError } from '../../images/badImage.ts';

/**
 * @param planes byte planes: bytes of a sample times samples of a pixel, the highest byte first.
 * @param length bytes of a plane, one for each pixel.
 * @returns the planes one after another.
 * @throws BadImageError for a frame that is cut off or of another layout.
 */
export function decodeRunLength(frame: Uint8Array, planes: number, length: number): Uint8Array {
  const header = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const segments = frame.length >= 64 ? header.getUint32(0, true) : 0;
  if (segments !== planes) {
    throw new BadImageError(`RLE data of ${segments} segments, where ${planes} were expected`);
  }
  const result = new Uint8Array(planes * length);
  for (let plane = 0; plane < planes; plane++) {
    const start = header.getUint32(4 + plane * 4, true);
    const end = plane + 1 < planes ? header.getUint32(8 + plane * 4, true) : frame.length;
    unpackBits(frame.subarray(start, end), result.subarray(plane * length, (plane + 1) * length));
  }
  return result;
}

function unpackBits(packed: Uint8Array, target: Uint8Array): void {
  let from = 0;
  let to = 0;
  while (to < target.length) {
    if (from >= packed.length) throw new BadImageError('RLE data that is cut off');
    const control = packed[from++] as number;
    if (control < 128) {
      const literal = packed.subarray(from, from + Math.min(control + 1, target.length - to));
      target.set(literal, to);
      if (literal.length < Math.min(control + 1, target.length - to)) {
        throw new BadImageError('RLE data that is cut off');
      }
      from += control + 1;
      to += control + 1;
    } else if (control > 128) {
      const count = 257 - control;
      target.fill(packed[from++] ?? 0, to, to + count);
      to += count;
    }
  }
}
