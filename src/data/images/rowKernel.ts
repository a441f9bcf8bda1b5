/**
 * The inner loops of a resize in WebAssembly's 128-bit arithmetic, several times as fast as the same
 * loops in JavaScript: weighted sums of rows of bytes, sixteen columns at a time, and of the pixels in
 * such sums. The module is put together here, instruction by instruction, so that nothing needs to be
 * compiled or shipped.
 */

/** Bits of the fraction of weights: 1 is 2^14. */
export const weightBits = 14;
/** Bits of the fraction that sums keep. */
export const sumBits = 7;

/** What is used of the platform's WebAssembly, which TypeScript types for browsers only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: KernelExports };
};

interface KernelExports {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /**
   * For each of `length` columns the sum over `taps` rows of weight × byte, rounded to `sumBits` bits.
   * @param source address of the first row, of `length` bytes. @param stride from a row to the next.
   * @param taps even. @param weights address of pairs of 16-bit weights.
   * @param target address of `length` 32-bit integers. @param length a multiple of 16.
   */
  sumRows(
    source: number,
    stride: number,
    taps: number,
    weights: number,
    target: number,
    length: number,
  ): void;
  /**
   * For each of `count` pixels the sum over `taps` pixels of weight × sum, in three bytes.
   * @param sums address of pixels of three 32-bit integers. @param starts address of where each
   *   pixel's first one is, in bytes from there. @param weights address of `taps` 32-bit weights for
   *   each pixel. @param target address of 3 · `count` bytes; one more is written to.
   */
  sumPixels(
    sums: number,
    starts: number,
    weights: number,
    taps: number,
    target: number,
    count: number,
  ): void;
}

const pageBytes = 65_536;

/** The kernel and its memory; one for each thread. */
export class RowKernel {
  readonly #exports: KernelExports;

  constructor() {
    this.#exports = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports;
  }

  /** The memory, of at least `bytes` bytes; what was got before is of no use any more. */
  memory(bytes: number): ArrayBuffer {
    const { memory } = this.#exports;
    const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
    if (missing > 0) memory.grow(missing);
    return memory.buffer;
  }

  /** See {@link KernelExports.sumRows}. */
  sumRows: KernelExports['sumRows'] = (...parameters) => this.#exports.sumRows(...parameters);

  /** See {@link KernelExports.sumPixels}. */
  sumPixels: KernelExports['sumPixels'] = (...parameters) => this.#exports.sumPixels(...parameters);
}

const i32 = 0x7f;
const v128 = 0x7b;

/** Numbers of the parameters and variables of `sumRows`. */
const [source, stride, taps, weights, target, length] = [0, 1, 2, 3, 4, 5] as const;
const [column, tap, row, pair] = [6, 7, 8, 9] as const;
const sums = [10, 11, 12, 13] as const;
const [low, high, factors, upper, lower] = [14, 15, 16, 17, 18] as const;

const get = (variable: number): number[] => [0x20, variable];
const set = (variable: number): number[] => [0x21, variable];
const tee = (variable: number): number[] => [0x22, variable];
const constant = (value: number): number[] => [0x41, value];
const add = [0x6a];
const isLess = [0x49];
const shiftLeft = [0x74];
const loop = [0x03, 0x40];
const again = [0x0d, 0];
const end = [0x0b];
/** A vector instruction; numbers from 128 on take two bytes. */
const vector = (code: number, ...operands: number[]): number[] =>
  code < 128 ? [0xfd, code, ...operands] : [0xfd, code, 1, ...operands];
const loadVector = vector(0x00, 0, 0);
const storeVector = (offset: number): number[] => vector(0x0b, 0, offset);
const shuffle = (lanes: readonly number[]): number[] => vector(0x0d, ...lanes);
const splat = vector(0x11);
const widenLow = vector(0x89);
const widenHigh = vector(0x8a);
const shiftRight = vector(0xac);
const addVector = vector(0xae);
const dot = vector(0xba);
const loadNumber = [0x28, 0, 0];

/** Byte k of two vectors, next to each other, for k from `first` to `first` + 7. */
const interleaved = (first: number): number[] =>
  Array.from({ length: 16 }, (_, at) => first + Math.floor(at / 2) + (at % 2) * 16);

/** Half a unit of the last bit that is kept, so that cutting off rounds. */
const half = 1 << (weightBits - sumBits - 1);

/** sums[which] += four columns · weights. */
const accumulate = (which: number, pairs: number, widen: readonly number[]): number[] => [
  ...get(which),
  ...get(pairs),
  ...widen,
  ...get(factors),
  ...dot,
  ...addVector,
  ...set(which),
];

function rowInstructions(): number[] {
  const clear = sums.flatMap((sum) => [
    ...vector(0x0c, ...[0, 1, 2, 3].flatMap(() => [half, 0, 0, 0])),
    ...set(sum),
  ]);
  const sumTwoRows = [
    ...[...get(row), ...loadVector, ...set(upper)],
    ...[...get(row), ...get(stride), ...add, ...loadVector, ...set(lower)],
    ...[...get(upper), ...get(lower), ...shuffle(interleaved(0)), ...set(low)],
    ...[...get(upper), ...get(lower), ...shuffle(interleaved(8)), ...set(high)],
    ...[...get(pair), ...loadNumber, ...splat, ...set(factors)],
    ...accumulate(sums[0], low, widenLow),
    ...accumulate(sums[1], low, widenHigh),
    ...accumulate(sums[2], high, widenLow),
    ...accumulate(sums[3], high, widenHigh),
    ...[...get(row), ...get(stride), ...constant(1), ...shiftLeft, ...add, ...set(row)],
    ...[...get(pair), ...constant(4), ...add, ...set(pair)],
  ];
  const store = sums.flatMap((sum, at) => [
    ...get(target),
    ...get(sum),
    ...constant(weightBits - sumBits),
    ...shiftRight,
    ...storeVector(16 * at),
  ]);
  return [
    ...loop,
    ...clear,
    ...[...get(source), ...get(column), ...add, ...set(row)],
    ...[...get(weights), ...set(pair), ...constant(0), ...set(tap)],
    ...loop,
    ...sumTwoRows,
    ...[...get(tap), ...constant(2), ...add, ...tee(tap), ...get(taps), ...isLess, ...again],
    ...end,
    ...store,
    // 64 is written as two bytes: as one it would read as -64.
    ...[...get(target), 0x41, 0xc0, 0x00, ...add, ...set(target)],
    ...[...get(column), ...constant(16), ...add, ...tee(column), ...get(length), ...isLess],
    ...again,
    ...end,
    ...end,
  ];
}

const multiply = vector(0xb5);
const narrowToShorts = vector(0x86);
const narrowToBytes = vector(0x66);
const storeFirstNumber = vector(0x5a, 0, 0, 0);

function pixelInstructions(): number[] {
  // Parameters, then variables.
  const [from, first, weight, most, to, count, pixel, step, at, sum] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ] as const;
  const advance = (variable: number, bytes: number): number[] => [
    ...get(variable),
    ...constant(bytes),
    ...add,
    ...set(variable),
  ];
  // Half of 2^21, that is 2^20: bytes 0, 0, 16, 0.
  const clear = [...vector(0x0c, ...[0, 1, 2, 3].flatMap(() => [0, 0, 16, 0])), ...set(sum)];
  const addPixel = [
    ...[...get(sum), ...get(at), ...loadVector],
    ...[...get(weight), ...loadNumber, ...splat, ...multiply, ...addVector, ...set(sum)],
    ...advance(at, 12),
    ...advance(weight, 4),
  ];
  const store = [
    ...[...get(sum), ...constant(weightBits + sumBits), ...shiftRight, ...tee(sum)],
    ...[...get(sum), ...narrowToShorts, ...tee(sum), ...get(sum), ...narrowToBytes, ...set(sum)],
    ...[...get(to), ...get(sum), ...storeFirstNumber],
  ];
  return [
    ...loop,
    ...clear,
    ...[
      ...get(from),
      ...get(first),
      ...loadNumber,
      ...add,
      ...set(at),
      ...constant(0),
      ...set(step),
    ],
    ...loop,
    ...addPixel,
    ...[...get(step), ...constant(1), ...add, ...tee(step), ...get(most), ...isLess, ...again],
    ...end,
    ...store,
    ...advance(first, 4),
    ...advance(to, 3),
    ...[...get(pixel), ...constant(1), ...add, ...tee(pixel), ...get(count), ...isLess, ...again],
    ...end,
    ...end,
  ];
}

/** The bytes of the module. */
function assemble(): Uint8Array {
  const text = (name: string): number[] => [name.length, ...Buffer.from(name)];
  const sized = (content: readonly number[]): number[] => [...unsigned(content.length), ...content];
  const section = (id: number, content: readonly number[]): number[] => [id, ...sized(content)];
  const rows = [2, 4, i32, 9, v128, ...rowInstructions()];
  const pixels = [2, 3, i32, 1, v128, ...pixelInstructions()];
  const exported = [
    ...[...text('memory'), 2, 0],
    ...[...text('sumRows'), 0, 0],
    ...[...text('sumPixels'), 0, 1],
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 6, i32, i32, i32, i32, i32, i32, 0]),
    ...section(3, [2, 0, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [3, ...exported]),
    ...section(10, [2, ...sized(rows), ...sized(pixels)]),
  ]);
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >> 7)];
}
