/**
 * Seeded random numbers for everything but tensors: splits, augmentation parameters, orders.
 * A stream is a pure function of its keys, so a draw never depends on what was drawn before
 * elsewhere, on the number of workers, or on a resume.
 */

/** The finaliser of MurmurHash3 (Appleby): every input bit reaches every output bit. */
function mix(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** A 32-bit key of any list of numbers and strings. */
function foldKeys(keys: readonly (number | string)[], start: number): number {
  let state = mix(start);
  for (const key of keys) {
    if (typeof key === 'number') {
      state = mix(state ^ mix(key | 0));
      state = mix(state + mix(Math.floor(key / 4294967296) | 0));
    } else {
      for (let index = 0; index < key.length; index++) {
        state = mix(state ^ key.charCodeAt(index));
      }
      state = mix(state + key.length);
    }
  }
  return state;
}

/** A stream of random numbers: xoshiro128** (Blackman and Vigna 2018), seeded by its keys. */
export class RandomStream {
  readonly #state = new Uint32Array(4);
  #spareNormal: number | undefined;

  constructor(...keys: (number | string)[]) {
    for (let word = 0; word < 4; word++) {
      this.#state[word] = foldKeys(keys, 0x9e3779b9 + word);
    }
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  /** Uniform 32-bit unsigned integer. */
  nextUint32(): number {
    const s = this.#state;
    const [s0, s1, s2, s3] = [s[0] ?? 0, s[1] ?? 0, s[2] ?? 0, s[3] ?? 0];
    const scrambled = Math.imul(s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = s1 << 9;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    s[1] = s1 ^ t2;
    s[0] = s0 ^ t3;
    s[2] = t2 ^ shifted;
    s[3] = (t3 << 11) | (t3 >>> 21);
    return result;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  next(): number {
    return ((this.nextUint32() >>> 5) * 67108864 + (this.nextUint32() >>> 6)) / 9007199254740992;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Uniform integer in [0, bound), without modulo bias. */
  integer(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Standard normal, by the polar Box-Muller method. */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.next() - 1;
      const v = 2 * this.next() - 1;
      const square = u * u + v * v;
      if (square > 0 && square < 1) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        this.#spareNormal = v * factor;
        return u * factor;
      }
    }
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let index = result.length - 1; index > 0; index--) {
      const other = this.integer(index + 1);
      const held = result[index] as T;
      result[index] = result[other] as T;
      result[other] = held;
    }
    return result;
  }
}
