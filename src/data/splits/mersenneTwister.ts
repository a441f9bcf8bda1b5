/**
 * Python's `random.Random(seed)`: MT19937 (Matsumoto and Nishimura 1998) seeded as CPython seeds it
 * with an integer, and CPython's `shuffle`. For splits that must equal those of Python code.
 */

const size = 624;
const shift = 397;

export class MersenneTwister {
  readonly #state = new Uint32Array(size);
  #next = size;

  /** @param seed as `random.Random(seed)`: an integer from 0 to 2^53 - 1. */
  constructor(seed: number) {
    const low = seed >>> 0;
    const high = Math.floor(seed / 4294967296);
    this.#seedWith(high > 0 ? [low, high] : [low]);
  }

  /** A uniform 32-bit unsigned integer. */
  nextUint32(): number {
    if (this.#next >= size) this.#refill();
    let y = this.#state[this.#next++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A uniform integer in [0, bound), bound at most 2^32 - 1: CPython's `_randbelow_with_getrandbits`. */
  below(bound: number): number {
    const bits = 32 - Math.clz32(bound);
    let value: number;
    do value = this.nextUint32() >>> (32 - bits);
    while (value >= bound);
    return value;
  }

  /** A copy in the order that Python's `shuffle` leaves a list in. */
  shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let index = result.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      const held = result[index] as T;
      result[index] = result[other] as T;
      result[other] = held;
    }
    return result;
  }

  /** `init_by_array` of the reference implementation. */
  #seedWith(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < size; i++) {
      const last = state[i - 1] ?? 0;
      state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
    let i = 1;
    let j = 0;
    const advance = (multiplier: number, addend: number): void => {
      const last = state[i - 1] ?? 0;
      state[i] = ((state[i] ?? 0) ^ Math.imul(last ^ (last >>> 30), multiplier)) + addend;
      i++;
      if (i >= size) {
        state[0] = state[size - 1] ?? 0;
        i = 1;
      }
    };
    for (let k = Math.max(size, key.length); k > 0; k--) {
      advance(1664525, (key[j] ?? 0) + j);
      j = (j + 1) % key.length;
    }
    for (let k = size - 1; k > 0; k--) advance(1566083941, -i);
    state[0] = 0x80000000;
  }

  #refill(): void {
    const state = this.#state;
    for (let k = 0; k < size; k++) {
      const y = ((state[k] ?? 0) & 0x80000000) | ((state[(k + 1) % size] ?? 0) & 0x7fffffff);
      const odd = y & 1 ? 0x9908b0df : 0;
      state[k] = (state[(k + shift) % size] ?? 0) ^ (y >>> 1) ^ odd;
    }
    this.#next = 0;
  }
}
