/**
 * The inner loops of a resize in WebAssembly's 128-bit arithmetic, several times as fast as the same
 * loops in JavaScript: weighted sums of rows of bytes, sixteen columns at a time, and of the pixels in
 * such sums.
 */
import {
  addIntegers,
  advance,
  bytes,
  type Code,
  define,
  get,
  instantiate,
  integer,
  integers,
  loadInteger,
  loadRepeated,
  loadVector,
  loop,
  memoryOf,
  set,
  shiftLeft,
  shorts,
  shuffleBytes,
  storeFirst,
  storeVector,
  type Variable,
  vectorOf,
  type WasmMemory,
} from './assembler.ts';

/** Bits of the fraction of weights: 1 is 2^14. */
export const weightBits = 14;
/** Bits of the fraction that sums keep. */
const sumBits = 7;

interface KernelExports {
  memory: WasmMemory;
  /**
   * For each of `length` columns the sum over `taps` rows of weight × byte, rounded to `sumBits` bits.
   * @param source address of the first row, of `length` bytes. @param stride from a row to the next.
   * @param taps even. @param weights address of pairs of 16-bit weights.
   * @param target address of `length` 16-bit integers. @param length a multiple of 16.
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
   * @param sums address of pixels of three 16-bit integers; 16 bytes are read at each.
   * @param starts address of where each pixel's first one is, in bytes from there. @param taps even.
   * @param weights address of `taps` / 2 pairs of 16-bit weights for each pixel. @param target address of 3 · `count` bytes; one more is written to.
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

/** The kernel and its memory; one for each thread. */
export class RowKernel {
  readonly #exports = instantiate<KernelExports>([sumRows(), sumPixels()]);

  /** The memory, of at least `bytes` bytes; what was got before is of no use any more. */
  memory(bytes: number): ArrayBuffer {
    return memoryOf(this.#exports.memory, bytes);
  }

  /** See {@link KernelExports.sumRows}. */
  sumRows: KernelExports['sumRows'] = (...parameters) => this.#exports.sumRows(...parameters);

  /** See {@link KernelExports.sumPixels}. */
  sumPixels: KernelExports['sumPixels'] = (...parameters) => this.#exports.sumPixels(...parameters);
}

/** Four equal integers of 32 bits. */
const four = (value: number): readonly number[] => [
  ...new Uint8Array(Int32Array.of(value, value, value, value).buffer),
];

/** Byte k of two vectors, next to each other, for k from `first` to `first` + 7. */
const interleaved = (first: number): number[] =>
  Array.from({ length: 16 }, (_, at) => first + Math.floor(at / 2) + (at % 2) * 16);

/** Half a unit of the last bit that is kept, so that cutting off rounds. */
const half = 1 << (weightBits - sumBits - 1);

const sumRows = () =>
  define('sumRows', ({ parameter, variable }) => {
    const [source, stride, taps] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const [weights, target, length] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const [column, tap] = [variable('i32'), variable('i32')];
    const [row, pair] = [variable('i32'), variable('i32')];
    const [low, high, factors] = [variable('v128'), variable('v128'), variable('v128')];
    const [upper, lower] = [variable('v128'), variable('v128')];
    const sums = [variable('v128'), variable('v128'), variable('v128'), variable('v128')];
    const columns = [
      bytes.widenLow(get(low)),
      bytes.widenHigh(get(low)),
      bytes.widenLow(get(high)),
      bytes.widenHigh(get(high)),
    ];
    const sumTwoRows = [
      set(upper, loadVector(get(row))),
      set(lower, loadVector(addIntegers(get(row), get(stride)))),
      set(low, shuffleBytes(get(upper), get(lower), interleaved(0))),
      set(high, shuffleBytes(get(upper), get(lower), interleaved(8))),
      set(factors, loadRepeated(get(pair))),
      sums.map((sum, at) =>
        set(sum, integers.add(get(sum), integers.dot(columns[at] ?? [], get(factors)))),
      ),
      advance(row, shiftLeft(get(stride), integer(1))),
      advance(pair, integer(4)),
    ];
    const shifted = (sum: Variable = 0): Code =>
      integers.shiftRight(get(sum), integer(weightBits - sumBits));
    const sumColumns = [
      sums.map((sum) => set(sum, vectorOf(four(half)))),
      set(row, addIntegers(get(source), get(column))),
      set(pair, get(weights)),
      set(tap, integer(0)),
      loop(sumTwoRows, tap, 2, taps),
      [0, 1].map((half) =>
        storeVector(
          get(target),
          integers.narrow(shifted(sums[half * 2]), shifted(sums[half * 2 + 1])),
          16 * half,
        ),
      ),
      advance(target, integer(32)),
    ];
    return loop(sumColumns, column, 16, length);
  });

/** Of pixels of three 16-bit numbers, the first two: red and red, green and green, blue and blue. */
const paired = [0, 6, 2, 8, 4, 10, 4, 10].flatMap((byte) => [byte, byte + 1]);

const sumPixels = () =>
  define('sumPixels', ({ parameter, variable }) => {
    const [sums, starts, weights] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const [taps, target, count] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const [pixel, tap, at] = [variable('i32'), variable('i32'), variable('i32')];
    const [two, sum] = [variable('v128'), variable('v128')];
    const addTwoPixels = [
      set(two, loadVector(get(at))),
      set(
        sum,
        integers.add(
          get(sum),
          integers.dot(shuffleBytes(get(two), get(two), paired), loadRepeated(get(weights))),
        ),
      ),
      advance(at, integer(12)),
      advance(weights, integer(4)),
    ];
    const makePixel = [
      set(sum, vectorOf(four(1 << (weightBits + sumBits - 1)))),
      set(at, addIntegers(get(sums), loadInteger(get(starts)))),
      set(tap, integer(0)),
      loop(addTwoPixels, tap, 2, taps),
      set(sum, integers.shiftRight(get(sum), integer(weightBits + sumBits))),
      set(sum, integers.narrow(get(sum), get(sum))),
      storeFirst(get(target), shorts.narrow(get(sum), get(sum))),
      advance(starts, integer(4)),
      advance(target, integer(3)),
    ];
    return loop(makePixel, pixel, 1, count);
  });
