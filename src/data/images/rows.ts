/** Pictures as rows of 8-bit RGB, which may be decoded as they are asked for. */

/** What a file holds, before it becomes 8-bit RGB. */
export interface ImageSource {
  /** For example `jpeg`, `png`, `dicom`. */
  format: string;
  /** 1 for grey, 3 for colour, one more with alpha. */
  channels: number;
  /** Bits of a channel. */
  bits: number;
}

/** 8-bit RGB, row by row, three bytes a pixel. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
  /** Where it is known. */
  source?: ImageSource;
}

/** A picture whose rows are read once, from the top down. */
export interface RowReader {
  width: number;
  height: number;
  /** Where it is known. */
  source?: ImageSource;
  /** Puts the next `count` rows into `target`, each `stride` bytes after the one before. */
  read(target: Uint8Array, stride: number, count: number): void;
}

/** The rows of a picture that is in memory. */
export function rowsOf({ width, height, data, source }: RgbImage): RowReader {
  const rowBytes = width * 3;
  let next = 0;
  const read = (target: Uint8Array, stride: number, count: number): void => {
    const first = next;
    next += count;
    if (rowBytes === stride) {
      target.set(data.subarray(first * rowBytes, next * rowBytes));
      return;
    }
    for (let row = first; row < next; row++) {
      target.set(data.subarray(row * rowBytes, (row + 1) * rowBytes), (row - first) * stride);
    }
  };
  return { width, height, source, read };
}

/** All rows of a picture. */
export function imageOf({ width, height, source, read }: RowReader): RgbImage {
  const data = new Uint8Array(width * height * 3);
  read(data, width * 3, height);
  return { width, height, data, source };
}
