/** The head of a JPEG file, read without asking the decoder, which takes a tenth of decoding to tell it. */

export interface JpegHead {
  width: number;
  height: number;
  /** 1 for grey, 3 for colour. */
  channels: 1 | 3;
  /** False where its EXIF may say that the picture is to be turned or mirrored. */
  isUpright: boolean;
}

type Frame = Omit<JpegHead, 'isUpright'>;

/**
 * Size and channels of a JPEG file of 8 bits a channel, as they are stored: not turned as EXIF says.
 * `undefined` for all else: other types, CMYK, 12 bits, lossless, or a damaged head.
 */
export function readJpegHead(bytes: Uint8Array): JpegHead | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  let frame: Frame | undefined;
  let isUpright = true;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    // A byte of 255 before a marker is filling.
    if (marker === 0xff) {
      at++;
      continue;
    }
    // A scan: the head is over.
    if (marker === 0xda) return frame && { ...frame, isUpright };
    const next = at + 2 + view.getUint16(at + 2);
    // Baseline, extended sequential and progressive frames.
    if (marker >= 0xc0 && marker <= 0xc2) {
      frame = frameAt(view, at + 4);
      if (!frame) return undefined;
    }
    const isOtherFrame = marker >= 0xc3 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xcc;
    if (isOtherFrame || marker === 0xd9) return undefined;
    if (marker === 0xe1) isUpright &&= isUprightIn(bytes.subarray(at + 4, next));
    at = next;
  }
  return frame && { ...frame, isUpright: false };
}

const orientationTag = 0x0112;
const shortType = 3;

/**
 * Whether an application segment says nothing of an orientation, or that the picture is upright. False
 * also for EXIF that is not quite understood: whoever understands more of it is to be asked.
 */
function isUprightIn(segment: Uint8Array): boolean {
  if (Buffer.from(segment.subarray(0, 4)).toString('latin1').toLowerCase() !== 'exif') return true;
  const tiff = segment.subarray(6);
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return false;
  const order = view.getUint16(0);
  const isLittle = order === 0x4949;
  if ((!isLittle && order !== 0x4d4d) || view.getUint16(2, isLittle) !== 42) return false;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return false;
  const entries = view.getUint16(directory, isLittle);
  if (directory + 2 + entries * 12 > tiff.length) return false;
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + entry * 12;
    if (view.getUint16(at, isLittle) !== orientationTag) continue;
    const isOneShort =
      view.getUint16(at + 2, isLittle) === shortType && view.getUint32(at + 4, isLittle) === 1;
    if (!isOneShort || view.getUint16(at + 8, isLittle) !== 1) return false;
  }
  return true;
}

/** Precision, height, width and channels of a frame header. */
function frameAt(view: DataView, at: number): Frame | undefined {
  if (at + 6 > view.byteLength || view.getUint8(at) !== 8) return undefined;
  const [height, width] = [view.getUint16(at + 1), view.getUint16(at + 3)];
  const channels = view.getUint8(at + 5);
  if (height === 0 || width === 0 || (channels !== 1 && channels !== 3)) return undefined;
  return { width, height, channels };
}
