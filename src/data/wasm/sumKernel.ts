/** Sums over the channels of 8-bit RGB in WebAssembly's 128-bit arithmetic, exact. */
import {
  advance,
  bytes,
  type Code,
  define,
  get,
  instantiate,
  integer,
  integers,
  loadVector,
  loop,
  memoryOf,
  set,
  shuffleBytes,
  storeVector,
  type Variable,
  vectorOf,
  type WasmMemory,
} from './assembler.ts';

/** Pixels of a group, and its bytes. */
export const groupPixels = 16;
export const groupBytes = 48;
/** Groups whose squares fit into four sums of 32 bits, whatever their pixels. */
export const mostGroups = 4096;

export interface SumKernel {
  memory: WasmMemory;
  /**
   * The sums of red, green and blue, and of their squares, in four parts each: 24 integers.
   * @param source address of `groups` groups, at most `mostGroups`. @param target address of the integers.
   */
  sumChannels(source: number, groups: number, target: number): void;
}

let kernel: SumKernel | undefined;

/** The thread's kernel, with at least `bytes` bytes of memory, and the memory. */
export function sumKernel(bytes: number): { kernel: SumKernel; memory: ArrayBuffer } {
  kernel ??= instantiate<SumKernel>([sumChannels()]);
  return { kernel, memory: memoryOf(kernel.memory, bytes) };
}

const sumChannels = () =>
  define('sumChannels', ({ parameter, variable }) => {
    const [source, groups, target] = [parameter('i32'), parameter('i32'), parameter('i32')];
    const group = variable('i32');
    const vectors = [variable('v128'), variable('v128'), variable('v128')] as const;
    const [channel, half] = [variable('v128'), variable('v128')];
    const sums = [0, 1, 2].map(() => ({ levels: variable('v128'), squares: variable('v128') }));
    const add = (sum: Variable, more: Code): Code => set(sum, integers.add(get(sum), more));
    const addChannel = (
      { levels, squares }: { levels: Variable; squares: Variable },
      at: number,
    ) => [
      set(channel, channelOf(vectors, at)),
      [bytes.widenLow, bytes.widenHigh].map((widen) => [
        set(half, widen(get(channel))),
        add(levels, integers.dot(get(half), vectorOf(eightOnes))),
        add(squares, integers.dot(get(half), get(half))),
      ]),
    ];
    const addGroup = [
      vectors.map((vector, at) => set(vector, loadVector(get(source), 16 * at))),
      sums.map(addChannel),
      advance(source, integer(groupBytes)),
    ];
    return [
      loop(addGroup, group, 1, groups),
      sums.map(({ levels, squares }, at) => [
        storeVector(get(target), get(levels), 16 * at),
        storeVector(get(target), get(squares), 48 + 16 * at),
      ]),
    ];
  });

/** Eight numbers of 16 bits. */
const eightOnes = [...new Uint8Array(Int16Array.from({ length: 8 }, () => 1).buffer)];

/** The sixteen bytes of a channel, out of three vectors of whole pixels. */
function channelOf(vectors: readonly [Variable, Variable, Variable], channel: number): Code {
  const [a, b, c] = vectors;
  // Byte `channel + 3 k` of 48: first those within the first two vectors, then the others.
  const places = Array.from({ length: groupPixels }, (_, pixel) => channel + 3 * pixel);
  const first = places.map((place) => Math.min(place, 31));
  const second = places.map((place, at) => (place < 32 ? at : place - 16));
  return shuffleBytes(shuffleBytes(get(a), get(b), first), get(c), second);
}
