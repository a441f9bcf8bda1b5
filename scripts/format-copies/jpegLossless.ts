/** Lossless JPEG, written (ITU-T T.81, process 14): one Huffman table of equally long codes. */
import type { Frame } from './runLength.ts';

/** Every category of differences, 0 to 16, has a code of five bits. */
const codeLength = 5;

/** @param predictor 1: the left neighbour; 4: left + above - upper left. */
export function encodeJpegLossless(frame: Frame, predictor: 1 | 4): Buffer {
  const { width, height, components, bits, samples } = frame;
  const ids = Array.from({ length: components }, (_, index) => index + 1);
  const header = Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xc3, [
      bits,
      ...word(height),
      ...word(width),
      components,
      ...ids.flatMap((id) => [id, 0x11, 0]),
    ]),
    segment(0xc4, [0, 0, 0, 0, 0, 17, ...Array(11).fill(0), ...Array.from({ length: 17 }).keys()]),
    segment(0xda, [components, ...ids.flatMap((id) => [id, 0]), predictor, 0, 0]),
  ]);
  const writer = new BitWriter();
  const mask = 2 ** bits - 1;
  const sample = (x: number, y: number, c: number): number =>
    (samples[(y * width + x) * components + c] ?? 0) & mask;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < components; c++) {
        const predicted = predict(x, y, c, predictor, sample, bits);
        // Differences are modulo 2^16, from -32767 to 32768.
        const raw = (sample(x, y, c) - predicted) & 0xffff;
        writeDifference(writer, raw > 32768 ? raw - 65536 : raw);
      }
    }
  }
  return Buffer.concat([header, writer.finish(), Buffer.from([0xff, 0xd9])]);
}

function predict(
  x: number,
  y: number,
  c: number,
  predictor: 1 | 4,
  sample: (x: number, y: number, c: number) => number,
  bits: number,
): number {
  if (x === 0 && y === 0) return 2 ** (bits - 1);
  if (y === 0) return sample(x - 1, y, c);
  if (x === 0) return sample(x, y - 1, c);
  const left = sample(x - 1, y, c);
  return predictor === 1 ? left : left + sample(x, y - 1, c) - sample(x - 1, y - 1, c);
}

function writeDifference(writer: BitWriter, difference: number): void {
  const category = difference === 0 ? 0 : 32 - Math.clz32(Math.abs(difference));
  writer.write(category, codeLength);
  if (category === 0 || category === 16) return;
  writer.write(difference > 0 ? difference : difference + 2 ** category - 1, category);
}

class BitWriter {
  readonly #bytes: number[] = [];
  #held = 0;
  #count = 0;

  write(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) {
      this.#held = (this.#held << 1) | ((value >> bit) & 1);
      if (++this.#count === 8) this.#push();
    }
  }

  finish(): Buffer {
    while (this.#count > 0) this.write(1, 1);
    return Buffer.from(this.#bytes);
  }

  #push(): void {
    this.#bytes.push(this.#held);
    if (this.#held === 0xff) this.#bytes.push(0);
    this.#held = 0;
    this.#count = 0;
  }
}

function segment(marker: number, body: readonly number[]): Buffer {
  return Buffer.from([0xff, marker, ...word(body.length + 2), ...body]);
}

function word(value: number): [number, number] {
  return [value >> 8, value & 255];
}
