/** DICOM's RLE Lossless, written (PS3.5 annex G). */
export interface Frame {
  width: number;
  height: number;
  /** Samples of a pixel. */
  components: number;
  /** Of a sample. */
  bits: number;
  /** By pixel. */
  samples: Uint8Array | Uint16Array | Int16Array;
}

export function encodeRunLength({ components, samples }: Frame): Buffer {
  const wide = samples.BYTES_PER_ELEMENT;
  const segments: Buffer[] = [];
  for (let component = 0; component < components; component++) {
    for (let byte = wide - 1; byte >= 0; byte--) {
      const plane = Uint8Array.from(
        { length: samples.length / components },
        (_, pixel) => ((samples[pixel * components + component] ?? 0) >> (8 * byte)) & 255,
      );
      const packed = packBits(plane);
      segments.push(packed.length % 2 ? Buffer.concat([packed, Buffer.alloc(1)]) : packed);
    }
  }
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length, 0);
  let offset = 64;
  segments.forEach((segment, index) => {
    header.writeUInt32LE(offset, 4 + index * 4);
    offset += segment.length;
  });
  return Buffer.concat([header, ...segments]);
}

function packBits(plane: Uint8Array): Buffer {
  const out: number[] = [];
  let at = 0;
  while (at < plane.length) {
    let run = 1;
    while (run < 128 && plane[at + run] === plane[at]) run++;
    if (run > 1) {
      out.push(257 - run, plane[at] ?? 0);
      at += run;
      continue;
    }
    const start = at;
    while (at < plane.length && at - start < 128 && plane[at] !== plane[at + 1]) at++;
    if (at === start) at++;
    out.push(at - start - 1, ...plane.subarray(start, at));
  }
  return Buffer.from(out);
}
