/** Reads a pickle's numbers and texts in sequence. Every method throws at the end of the bytes. */
import { isUtf8 } from 'node:buffer';

/** Longer integers than any that a checkpoint holds: a random generator's state has 2,500 bytes. */
const longestInteger = 4096;

export class PickleReader {
  readonly #bytes: Buffer;
  #position: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
  }

  /** Where the next byte is read. */
  get position(): number {
    return this.#position;
  }

  /** Moves on by `length` bytes and returns where they start. */
  #take(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw new Error('a pickle that ends in the middle');
    this.#position = start + length;
    return start;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  /** A length of 8 bytes; past 2^53 it cannot be in a file. */
  length64(): number {
    const length = this.#bytes.readBigUInt64LE(this.#take(8));
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`a piece of ${length} bytes`);
    return Number(length);
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** A two's-complement integer of `length` bytes: a number where it is exact, otherwise a bigint. */
  integer(length: number): number | bigint {
    if (length > longestInteger) throw new Error(`an integer of ${length} bytes`);
    const bytes = this.bytes(length);
    const digits = Buffer.from(bytes).reverse().toString('hex');
    const magnitude = digits === '' ? 0n : BigInt(`0x${digits}`);
    const value = BigInt.asIntN(8 * length, magnitude);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** UTF-8; anything else is refused, because two names must not become one by replacement characters. */
  text(length: number): string {
    const start = this.#take(length);
    const bytes = this.#bytes.subarray(start, start + length);
    if (!isUtf8(bytes)) throw new Error('text that is not UTF-8');
    return bytes.toString('utf8');
  }

  /** ASCII up to a line feed. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end === -1) throw new Error('a pickle that ends in the middle');
    const text = this.#bytes.toString('latin1', this.#position, end);
    this.#position = end + 1;
    return text;
  }
}
