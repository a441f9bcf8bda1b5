/**
 * Lossless JPEG (ITU-T T.81, process 14, all seven predictors), as DICOM's syntaxes 4.57 and 4.70 use
 * it. Written here because the packaged decoder loses the last sample of every eighth picture or so.
 */
import { BadImageError } from '../../images/badImage.ts';

export interface DecodedFrame {
  width: number;
  height: number;
  components: number;
  /** Bits of a sample. */
  bits: number;
  /** By pixel. */
  samples: Uint8Array | Uint16Array;
}

/** For each 16 bits ahead: bits of the code, and the category of differences that it stands for. */
interface HuffmanTable {
  lengths: Uint8Array;
  categories: Uint8Array;
}

interface Header {
  width: number;
  height: number;
  bits: number;
  componentIds: number[];
}

/** @throws BadImageError for damaged data, or a JPEG of another process. */
export function decodeJpegLossless(bytes: Uint8Array): DecodedFrame {
  const tables: (HuffmanTable | undefined)[] = [];
  let header: Header | undefined;
  let samples = new Uint16Array(0);
  let restartLines = 0;
  let scanned = 0;
  let at = 2;
  const word = (place: number): number => ((bytes[place] ?? 0) << 8) | (bytes[place + 1] ?? 0);
  if (word(0) !== 0xffd8) throw new BadImageError('lossless JPEG data without its first marker');
  while (at + 4 <= bytes.length) {
    const marker = word(at);
    if (marker === 0xffff) {
      at++;
      continue;
    }
    if (marker === 0xffd9) break;
    const length = word(at + 2);
    const body = bytes.subarray(at + 4, at + 2 + length);
    at += 2 + length;
    if (marker === 0xffc4) readTables(body, tables);
    else if (marker === 0xffc3) {
      header = readHeader(body);
      samples = new Uint16Array(header.width * header.height * header.componentIds.length);
    } else if (isOtherFrame(marker)) {
      throw new BadImageError('a JPEG that is not lossless, under a lossless transfer syntax');
    } else if (marker === 0xffdd) {
      restartLines = restartInterval(body, header);
    } else if (marker === 0xffda) {
      if (!header) throw new BadImageError('lossless JPEG data without a frame header');
      const scan = readScan(body, header, tables);
      at = decodeScan(bytes, at, header, scan, restartLines, samples);
      scanned += scan.components.length;
    }
  }
  if (!header || scanned < header.componentIds.length) throw truncated();
  const { width, height, bits, componentIds } = header;
  const narrow = bits <= 8 ? Uint8Array.from(samples) : samples;
  return { width, height, bits, components: componentIds.length, samples: narrow };
}

function truncated(): BadImageError {
  return new BadImageError('truncated: the lossless JPEG data end too early');
}

/** Start-of-frame markers of the other processes. */
function isOtherFrame(marker: number): boolean {
  return marker >= 0xffc0 && marker <= 0xffcf && ![0xffc3, 0xffc4, 0xffc8, 0xffcc].includes(marker);
}

function readHeader(body: Uint8Array): Header {
  const [bits = 0, high = 0, low = 0, left = 0, right = 0, components = 0] = body;
  const height = (high << 8) | low;
  const width = (left << 8) | right;
  if (bits < 2 || bits > 16 || width === 0 || height === 0 || components === 0) {
    throw new BadImageError(`lossless JPEG data of ${width} × ${height} pixels of ${bits} bits`);
  }
  const componentIds: number[] = [];
  for (let index = 0; index < components; index++) {
    const [id, sampling] = body.subarray(6 + index * 3);
    if (id === undefined || (components > 1 && sampling !== 0x11)) {
      throw new BadImageError('lossless JPEG data with subsampled colours');
    }
    componentIds.push(id);
  }
  return { width, height, bits, componentIds };
}

/** Restarts come after whole lines (T.81 H.1.1). */
function restartInterval(body: Uint8Array, header: Header | undefined): number {
  const units = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
  return header ? Math.floor(units / header.width) : 0;
}

function readTables(body: Uint8Array, tables: (HuffmanTable | undefined)[]): void {
  let at = 0;
  while (at + 17 <= body.length) {
    const slot = (body[at] ?? 0) & 15;
    const counts = body.subarray(at + 1, at + 17);
    const lengths = new Uint8Array(65_536);
    const categories = new Uint8Array(65_536);
    let code = 0;
    let value = at + 17;
    counts.forEach((count, index) => {
      const length = index + 1;
      for (let each = 0; each < count; each++, code++, value++) {
        const start = code << (16 - length);
        const end = (code + 1) << (16 - length);
        lengths.fill(length, start, end);
        categories.fill(body[value] ?? 0, start, end);
      }
      code <<= 1;
    });
    tables[slot] = { lengths, categories };
    at = value;
  }
}

interface Scan {
  /** Positions in a pixel, and the table of each. */
  components: { position: number; table: HuffmanTable }[];
  predictor: number;
  /** Lower bits that were left out. */
  shift: number;
}

function readScan(
  body: Uint8Array,
  header: Header,
  tables: readonly (HuffmanTable | undefined)[],
): Scan {
  const count = body[0] ?? 0;
  const components = Array.from({ length: count }, (_, index) => {
    const position = header.componentIds.indexOf(body[1 + index * 2] ?? -1);
    const table = tables[(body[2 + index * 2] ?? 0) >> 4];
    if (position < 0 || !table) throw new BadImageError('lossless JPEG data without its tables');
    return { position, table };
  });
  const predictor = body[1 + count * 2] ?? 0;
  if (predictor < 1 || predictor > 7) {
    throw new BadImageError(`lossless JPEG data with predictor ${predictor}`);
  }
  return { components, predictor, shift: (body[3 + count * 2] ?? 0) & 15 };
}

/** Decodes from byte `at` on. @returns the place after the scan. */
function decodeScan(
  bytes: Uint8Array,
  at: number,
  { width, height, bits, componentIds }: Header,
  { components, predictor, shift }: Scan,
  restartLines: number,
  samples: Uint16Array,
): number {
  const reader = new BitReader(bytes, at);
  const step = componentIds.length;
  const line = width * step;
  const start = 2 ** (bits - shift - 1);
  for (let y = 0; y < height; y++) {
    const fresh = restartLines > 0 ? y % restartLines === 0 : y === 0;
    if (fresh && y > 0) reader.restart();
    for (let x = 0; x < width; x++) {
      for (const { position, table } of components) {
        const place = y * line + x * step + position;
        const left = samples[place - step] as number;
        const above = samples[place - line] as number;
        const predicted = fresh
          ? x === 0
            ? start
            : left
          : x === 0
            ? above
            : predict(predictor, left, above, samples[place - line - step] as number);
        samples[place] = predicted + reader.difference(table);
      }
    }
  }
  if (reader.overrun) throw truncated();
  if (shift > 0) {
    for (const { position } of components) {
      for (let place = position; place < samples.length; place += step) {
        samples[place] = (samples[place] as number) << shift;
      }
    }
  }
  return reader.place;
}

/** T.81 table H.1. */
function predict(predictor: number, left: number, above: number, corner: number): number {
  switch (predictor) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return corner;
    case 4:
      return left + above - corner;
    case 5:
      return left + ((above - corner) >> 1);
    case 6:
      return above + ((left - corner) >> 1);
    default:
      return (left + above) >> 1;
  }
}

/** Bits of entropy-coded data, up to the next marker; zeros after it. */
class BitReader {
  place: number;
  readonly #bytes: Uint8Array;
  /** The lower `#count` bits are still to be read. */
  #held = 0;
  #count = 0;
  /** Bits that were made up after the end. */
  #padding = 0;

  constructor(bytes: Uint8Array, place: number) {
    this.#bytes = bytes;
    this.place = place;
  }

  /** True where more bits were read than there were. */
  get overrun(): boolean {
    return this.#padding > this.#count;
  }

  /** The next difference; a sum with it is taken modulo 2^16. */
  difference(table: HuffmanTable): number {
    this.#fill();
    const ahead = (this.#held >>> (this.#count - 16)) & 0xffff;
    const length = table.lengths[ahead] as number;
    if (length === 0) throw new BadImageError('lossless JPEG data with an unknown code');
    this.#count -= length;
    const category = table.categories[ahead] as number;
    if (category === 0) return 0;
    if (category >= 16) return 32_768;
    this.#fill();
    this.#count -= category;
    const value = (this.#held >>> this.#count) & (2 ** category - 1);
    return value < 2 ** (category - 1) ? value - 2 ** category + 1 : value;
  }

  /** Passes over the marker between two intervals. */
  restart(): void {
    if (this.overrun) throw truncated();
    this.#count = 0;
    this.#padding = 0;
    while (this.place + 1 < this.#bytes.length) {
      const next = this.#bytes[this.place + 1] as number;
      if (this.#bytes[this.place] === 0xff && next >= 0xd0 && next <= 0xd7) {
        this.place += 2;
        return;
      }
      this.place++;
    }
    throw truncated();
  }

  #fill(): void {
    while (this.#count <= 24) {
      const byte = this.#bytes[this.place];
      const next = this.#bytes[this.place + 1];
      if (byte === undefined || (byte === 0xff && next !== 0)) {
        this.#held <<= 8;
        this.#padding += 8;
      } else {
        this.#held = (this.#held << 8) | byte;
        this.place += byte === 0xff ? 2 : 1;
      }
      this.#count += 8;
    }
  }
}
