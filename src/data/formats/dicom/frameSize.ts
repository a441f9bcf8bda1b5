/** The size that compressed data say of themselves, read before anything is decoded. */

export interface FrameSize {
  width: number;
  height: number;
}

/** Of JPEG (any process) and JPEG-LS: from the frame header (ITU-T T.81 B.2.2, T.87 C.2.2). */
export function jpegFrameSize(bytes: Uint8Array): FrameSize | undefined {
  const word = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  let at = 2;
  while (at + 9 <= bytes.length) {
    const marker = word(at);
    if (marker === 0xffff) at++;
    else if (isFrameHeader(marker)) return { height: word(at + 5), width: word(at + 7) };
    else if (marker < 0xff00 || marker === 0xffda) return undefined;
    else at += 2 + word(at + 2);
  }
  return undefined;
}

function isFrameHeader(marker: number): boolean {
  const isTable = marker === 0xffc4 || marker === 0xffc8 || marker === 0xffcc;
  return (marker >= 0xffc0 && marker <= 0xffcf && !isTable) || marker === 0xfff7;
}

/** Of a JPEG 2000 codestream, in a JP2 file or not: from its SIZ segment (ITU-T T.800 A.5.1). */
export function jpeg2000FrameSize(bytes: Uint8Array): FrameSize | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = data.indexOf(Buffer.from([0xff, 0x4f, 0xff, 0x51]));
  if (at < 0 || at + 24 > data.length) return undefined;
  const long = (place: number): number => data.readUInt32BE(at + place);
  return { width: long(8) - long(16), height: long(12) - long(20) };
}
