/**
 * The inner loops of augmentation in WebAssembly's 128-bit arithmetic: a resize of a crop in floating
 * point, and changes of colour. Pictures are rows of pixels of three numbers of single precision;
 * colour works on groups of four pixels. The same bits come out on every machine.
 */
import {
  addIntegers,
  advance,
  bytes,
  type Code,
  define,
  doubles,
  floats,
  get,
  instantiate,
  integer,
  loadInteger,
  loadRepeated,
  loadVector,
  loop,
  memoryOf,
  type Naming,
  select,
  set,
  shorts,
  shuffle,
  storeVector,
  type Variable,
  type WasmMemory,
} from './assembler.ts';

/** Addresses and lengths are in bytes of the kernel's memory, but for counts. */
export interface WarpKernel {
  memory: WasmMemory;
  /**
   * For each of `length` columns the sum over `taps` rows of weight × byte.
   * @param source of the first row; 16 bytes after a row are read. @param stride from a row to the next.
   * @param weights `taps` numbers. @param target room for `length` numbers, rounded up to 16.
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
   * For each of `count` pixels the sum over `taps` pixels of weight × sum, times a scale, less an offset.
   * @param sums pixels of three numbers. @param starts for each pixel where its first one is from there.
   * @param weights `taps` numbers for each pixel. @param target 12 · `count` bytes; 4 more are written to.
   * @param scales 12 numbers of four pixels' channels, then 12 offsets.
   */
  sumPixels(
    sums: number,
    starts: number,
    weights: number,
    taps: number,
    target: number,
    count: number,
    scales: number,
  ): void;
  /** x · scale - offset by channel, as in `sumPixels`. */
  scale(image: number, groups: number, scales: number): void;
  /** factor · x + addend, kept within 0 and 1. */
  blend(image: number, groups: number, factor: number, addend: number): void;
  /** Towards each pixel's grey. */
  saturate(image: number, groups: number, factor: number): void;
  /** Hues turned by `sixths` of a sixth of the circle. */
  turnHues(image: number, groups: number, sixths: number): void;
  /** The sum of the grey of all pixels. */
  sumGrey(image: number, groups: number): number;
}

/** Bytes of a group of four pixels. */
export const groupBytes = 48;

let kernel: WarpKernel | undefined;

/** The thread's kernel, with at least `bytes` bytes of memory, and the memory. */
export function warpKernel(bytes: number): { kernel: WarpKernel; memory: ArrayBuffer } {
  kernel ??= instantiate<WarpKernel>([
    sumRows(),
    sumPixels(),
    scale(),
    blend(),
    saturate(),
    turnHues(),
    sumGrey(),
  ]);
  return { kernel, memory: memoryOf(kernel.memory, bytes) };
}

const multiplyAdd = (sum: Variable, a: Code, b: Code): Code =>
  set(sum, floats.add(get(sum), floats.multiply(a, b)));
const within01 = (a: Code): Code =>
  floats.least(floats.constant(1), floats.greatest(floats.constant(0), a));

const sumRows = () =>
  define('sumRows', ({ parameter, variable }) => {
    const [source, stride, taps] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const [weights, target, length] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const [column, tap] = [variable('i32'), variable('i32')];
    const [row, weight] = [variable('i32'), variable('i32')];
    const [sixteen, low, high] = [variable('v128'), variable('v128'), variable('v128')];
    const factor = variable('v128');
    const sums = [variable('v128'), variable('v128'), variable('v128'), variable('v128')];
    const columns = [
      shorts.widenLow(get(low)),
      shorts.widenHigh(get(low)),
      shorts.widenLow(get(high)),
      shorts.widenHigh(get(high)),
    ];
    const addRow = [
      set(sixteen, loadVector(get(row))),
      set(low, bytes.widenLow(get(sixteen))),
      set(high, bytes.widenHigh(get(sixteen))),
      set(factor, loadRepeated(get(weight))),
      sums.map((sum, at) => multiplyAdd(sum, floats.fromIntegers(columns[at] ?? []), get(factor))),
      advance(row, get(stride)),
      advance(weight, integer(4)),
    ];
    const sumColumns = [
      sums.map((sum) => set(sum, floats.constant(0))),
      set(row, addIntegers(get(source), get(column))),
      set(weight, get(weights)),
      set(tap, integer(0)),
      loop(addRow, tap, 1, taps),
      sums.map((sum, at) => storeVector(get(target), get(sum), 16 * at)),
      advance(target, integer(64)),
    ];
    return loop(sumColumns, column, 16, length);
  });

const sumPixels = () =>
  define('sumPixels', ({ parameter, variable }) => {
    const [sums, starts, weights] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const [taps, target, count] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const scales = parameter('i32');
    const [pixel, tap, at] = [variable('i32'), variable('i32'), variable('i32')];
    const [sum, factors, offsets] = [variable('v128'), variable('v128'), variable('v128')];
    const makePixel = [
      set(sum, floats.constant(0)),
      set(at, addIntegers(get(sums), loadInteger(get(starts)))),
      set(tap, integer(0)),
      loop(
        [
          multiplyAdd(sum, loadVector(get(at)), loadRepeated(get(weights))),
          advance(at, integer(12)),
          advance(weights, integer(4)),
        ],
        tap,
        1,
        taps,
      ),
      // The fourth number is no channel: the next pixel overwrites it.
      storeVector(
        get(target),
        floats.subtract(floats.multiply(get(sum), get(factors)), get(offsets)),
      ),
      advance(starts, integer(4)),
      advance(target, integer(12)),
    ];
    return [
      set(factors, loadVector(get(scales))),
      set(offsets, loadVector(get(scales), groupBytes)),
      loop(makePixel, pixel, 1, count),
    ];
  });

const scale = () =>
  define('scale', (naming) => {
    const group = groupOf(naming);
    const scales = naming.parameter('i32');
    return group.each(() =>
      [0, 16, 32].map((offset) =>
        storeVector(
          get(group.image),
          floats.subtract(
            floats.multiply(loadVector(get(group.image), offset), loadVector(get(scales), offset)),
            loadVector(get(scales), groupBytes + offset),
          ),
          offset,
        ),
      ),
    );
  });

const blend = () =>
  define('blend', (naming) => {
    const group = groupOf(naming);
    const [factor, addend] = [naming.parameter('f32'), naming.parameter('f32')];
    return group.each(() =>
      [0, 16, 32].map((offset) =>
        storeVector(
          get(group.image),
          within01(
            floats.add(
              floats.multiply(loadVector(get(group.image), offset), floats.repeat(get(factor))),
              floats.repeat(get(addend)),
            ),
          ),
          offset,
        ),
      ),
    );
  });

const saturate = () =>
  define('saturate', (naming) => {
    const group = groupOf(naming);
    const factor = naming.parameter('f32');
    return group.each((colours) => {
      const other = naming.variable('v128');
      const rest = floats.subtract(floats.constant(1), floats.repeat(get(factor)));
      return [
        colours.load,
        set(other, floats.multiply(greyOf(colours.channels), rest)),
        colours.channels.map((channel) =>
          set(
            channel,
            within01(
              floats.add(floats.multiply(get(channel), floats.repeat(get(factor))), get(other)),
            ),
          ),
        ),
        colours.store,
      ];
    });
  });

const turnHues = () =>
  define('turnHues', (naming) => {
    const group = groupOf(naming);
    const sixths = naming.parameter('f32');
    return group.each(({ load, channels, store }) => {
      const [largest, spread] = [naming.variable('v128'), naming.variable('v128')];
      const [divisor, hue, k] = [
        naming.variable('v128'),
        naming.variable('v128'),
        naming.variable('v128'),
      ];
      const [red, green, blue] = channels;
      const extreme = (which: (a: Code, b: Code) => Code): Code =>
        which(get(red), which(get(green), get(blue)));
      const difference = (a: Variable, b: Variable): Code =>
        floats.divide(floats.subtract(get(a), get(b)), get(divisor));
      const fromGreen = floats.add(difference(blue, red), floats.constant(2));
      const fromBlue = floats.add(difference(red, green), floats.constant(4));
      // What follows is the formula of `adjustHue` in augment/colour.ts.
      return [
        load,
        set(largest, extreme(floats.greatest)),
        set(spread, floats.subtract(get(largest), extreme(floats.least))),
        set(divisor, floats.greatest(get(spread), floats.constant(1e-12))),
        set(hue, select(fromGreen, fromBlue, floats.equal(get(green), get(largest)))),
        set(hue, select(difference(green, blue), get(hue), floats.equal(get(red), get(largest)))),
        set(hue, floats.add(get(hue), floats.repeat(get(sixths)))),
        channels.map((channel, at) => [
          set(k, floats.add(get(hue), floats.constant(5 - 2 * at))),
          set(
            k,
            floats.subtract(
              get(k),
              floats.multiply(
                floats.floor(floats.multiply(get(k), floats.constant(1 / 6))),
                floats.constant(6),
              ),
            ),
          ),
          set(k, floats.least(get(k), floats.subtract(floats.constant(4), get(k)))),
          set(
            channel,
            floats.subtract(get(largest), floats.multiply(within01(get(k)), get(spread))),
          ),
        ]),
        store,
      ];
    });
  });

const sumGrey = () =>
  define(
    'sumGrey',
    (naming) => {
      const group = groupOf(naming);
      const [four, sum] = [naming.variable('v128'), naming.variable('v128')];
      const addPair = (pair: Code): Code =>
        set(sum, doubles.add(get(sum), doubles.fromFloats(pair)));
      const addGroup = group.each(({ load, channels }) => [
        load,
        set(four, greyOf(channels)),
        addPair(get(four)),
        addPair(shuffle(get(four), get(four), [2, 3, 2, 3])),
      ]);
      return [addGroup, doubles.addNumbers(doubles.first(get(sum)), doubles.second(get(sum)))];
    },
    'f64',
  );

/** Luma of ITU-R 601-2 with torchvision's coefficients. */
function greyOf([red, green, blue]: Channels): Code {
  const part = (channel: Variable, weight: number): Code =>
    floats.multiply(get(channel), floats.constant(weight));
  return floats.add(floats.add(part(red, 0.2989), part(green, 0.587)), part(blue, 0.114));
}

type Channels = readonly [Variable, Variable, Variable];

interface Colours {
  /** Four pixels' red, green and blue, from the picture and back into it. */
  load: Code;
  channels: Channels;
  store: Code;
}

interface Groups {
  /** Address of the group. */
  image: Variable;
  each(body: (colours: Colours) => Code): Code;
}

/** Takes the parameters `image` and `groups` and goes through the groups of four pixels. */
function groupOf({ parameter, variable }: Naming): Groups {
  const [image, groups] = [parameter('i32'), parameter('i32')];
  return {
    image,
    each: (body) => {
      const group = variable('i32');
      const code = body(coloursAt(image, variable));
      return loop([code, advance(image, integer(groupBytes))], group, 1, groups);
    },
  };
}

/** Twelve numbers, r g b r · g b r g · b r g b, to four of each channel and back. */
function coloursAt(image: Variable, variable: Naming['variable']): Colours {
  const [red, green, blue] = [variable('v128'), variable('v128'), variable('v128')];
  const [a, b, c] = [variable('v128'), variable('v128'), variable('v128')];
  const gather = (first: number[], second: number[]): Code =>
    shuffle(shuffle(get(a), get(b), first), get(c), second);
  const mixed = (x: Variable, y: Variable, z: Variable, first: number[], second: number[]): Code =>
    shuffle(shuffle(get(x), get(y), first), get(z), second);
  return {
    channels: [red, green, blue],
    load: [
      set(a, loadVector(get(image))),
      set(b, loadVector(get(image), 16)),
      set(c, loadVector(get(image), 32)),
      set(red, gather([0, 3, 6, 6], [0, 1, 2, 5])),
      set(green, gather([1, 4, 7, 7], [0, 1, 2, 6])),
      set(blue, gather([2, 5, 5, 5], [0, 1, 4, 7])),
    ],
    store: [
      storeVector(get(image), mixed(red, green, blue, [0, 4, 1, 1], [0, 1, 4, 2])),
      storeVector(get(image), mixed(green, blue, red, [1, 5, 2, 2], [0, 1, 6, 2]), 16),
      storeVector(get(image), mixed(blue, red, green, [2, 7, 3, 3], [0, 1, 7, 2]), 32),
    ],
  };
}
