/** The head of a JPEG file, read without asking the decoder, which takes a tenth of decoding to tell it. */

export interface JpegHead {
  width: number;
  height: number;
  /** 1 for grey, 3 for colour. */
  channels: 1 | 3;
}

/**
 * Size and channels of a JPEG file of 8 bits a channel, as they are stored: not turned as EXIF says.
 * `undefined` for all else: other types, CMYK, 12 bits, lossless, or a damaged head.
 */
export function readJpegHead(bytes: Uint8Array): JpegHead | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    // A byte of 255 before a marker is filling.
    if (marker === 0xff) {
      at++;
      continue;
    }
    // Baseline, extended sequential and progressive frames.
    if (marker >= 0xc0 && marker <= 0xc2) return frameAt(view, at + 4);
    const isFrameOrScan = marker >= 0xc3 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xcc;
    if (isFrameOrScan || marker === 0xda || marker === 0xd9) return undefined;
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** Precision, height, width and channels of a frame header. */
function frameAt(view: DataView, at: number): JpegHead | undefined {
  if (at + 6 > view.byteLength || view.getUint8(at) !== 8) return undefined;
  const [height, width] = [view.getUint16(at + 1), view.getUint16(at + 3)];
  const channels = view.getUint8(at + 5);
  if (height === 0 || width === 0 || (channels !== 1 && channels !== 3)) return undefined;
  return { width, height, channels };
}
