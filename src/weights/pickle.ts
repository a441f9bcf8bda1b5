/**
 * A pickle machine that can only build plain values. It knows the opcodes that `torch.save` writes
 * (protocols 2 to 5, binary forms); a global is a name that the caller allows or refuses, a call is a
 * question to the caller, and no opcode reaches JavaScript's own functions or prototypes. Work and memory
 * are bounded: the machine never recurses, and stops at fixed numbers of opcodes, containers and marks.
 *
 * Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
import { PickleReader } from './pickleReader.ts';
import {
  describeValue,
  PickleDictionary,
  PickleGlobal,
  PickleList,
  PickleSet,
  PickleTuple,
  type PickleValue,
} from './pickleValues.ts';

/** What a pickle may refer to. Each method throws an Error that says what is refused. */
export interface PickleWorld {
  /** The class or function `module.name`, asked for when the pickle names it, used or not. */
  global(module: string, name: string): PickleGlobal;
  /** The value of calling `callable`. */
  call(callable: PickleGlobal, values: readonly PickleValue[]): PickleValue;
  /** Gives `target` the attributes `state`. */
  setState(target: PickleValue, state: PickleValue): void;
  /** The object outside the pickle that `id` names. */
  persistent(id: PickleValue): PickleValue;
}

/** A pickle of twenty thousand tensors stays below these; more is an attack or damage. */
const mostOpcodes = 1_000_000;
const mostContainers = 300_000;
const mostMarks = 10_000;

const highestProtocol = 5;
const stopOpcode = 0x2e;

class Machine {
  readonly #reader: PickleReader;
  readonly #world: PickleWorld;
  readonly #marks: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();
  #stack: PickleValue[] = [];
  #containers = 0;

  /** Every instruction that is understood, by opcode, under its name in pickletools. */
  static readonly #instructions = new Map<number, (machine: Machine) => void>([
    /* PROTO */ [0x80, (m) => m.#checkProtocol(m.#reader.byte())],
    /* FRAME */ [0x95, (m) => m.#reader.length64()],
    /* MARK */ [0x28, (m) => m.#mark()],
    /* POP */ [0x30, (m) => m.#pop()],
    /* POP_MARK */ [0x31, (m) => m.#popToMark()],
    /* NONE */ [0x4e, (m) => m.#push(null)],
    /* NEWTRUE */ [0x88, (m) => m.#push(true)],
    /* NEWFALSE */ [0x89, (m) => m.#push(false)],
    /* BININT */ [0x4a, (m) => m.#push(m.#reader.int32())],
    /* BININT1 */ [0x4b, (m) => m.#push(m.#reader.byte())],
    /* BININT2 */ [0x4d, (m) => m.#push(m.#reader.uint16())],
    /* LONG1 */ [0x8a, (m) => m.#push(m.#reader.integer(m.#reader.byte()))],
    /* LONG4 */ [0x8b, (m) => m.#push(m.#reader.integer(m.#reader.uint32()))],
    /* BINFLOAT */ [0x47, (m) => m.#push(m.#reader.float64())],
    /* BINSTRING */ [0x54, (m) => m.#push(m.#reader.text(m.#reader.uint32()))],
    /* SHORT_BINSTRING */ [0x55, (m) => m.#push(m.#reader.text(m.#reader.byte()))],
    /* BINUNICODE */ [0x58, (m) => m.#push(m.#reader.text(m.#reader.uint32()))],
    /* SHORT_BINUNICODE */ [0x8c, (m) => m.#push(m.#reader.text(m.#reader.byte()))],
    /* BINUNICODE8 */ [0x8d, (m) => m.#push(m.#reader.text(m.#reader.length64()))],
    /* BINBYTES */ [0x42, (m) => m.#push(m.#reader.bytes(m.#reader.uint32()))],
    /* SHORT_BINBYTES */ [0x43, (m) => m.#push(m.#reader.bytes(m.#reader.byte()))],
    /* BINBYTES8 */ [0x8e, (m) => m.#push(m.#reader.bytes(m.#reader.length64()))],
    /* BINPUT */ [0x71, (m) => m.#remember(m.#reader.byte())],
    /* LONG_BINPUT */ [0x72, (m) => m.#remember(m.#reader.uint32())],
    /* MEMOIZE */ [0x94, (m) => m.#remember(m.#memo.size)],
    /* BINGET */ [0x68, (m) => m.#recall(m.#reader.byte())],
    /* LONG_BINGET */ [0x6a, (m) => m.#recall(m.#reader.uint32())],
    /* EMPTY_TUPLE */ [0x29, (m) => m.#tuple([])],
    /* TUPLE1 */ [0x85, (m) => m.#tuple(m.#popMany(1))],
    /* TUPLE2 */ [0x86, (m) => m.#tuple(m.#popMany(2))],
    /* TUPLE3 */ [0x87, (m) => m.#tuple(m.#popMany(3))],
    /* TUPLE */ [0x74, (m) => m.#tuple(m.#popToMark())],
    /* EMPTY_LIST */ [0x5d, (m) => m.#push(m.#made(new PickleList()))],
    /* EMPTY_DICT */ [0x7d, (m) => m.#push(m.#made(new PickleDictionary()))],
    /* EMPTY_SET */ [0x8f, (m) => m.#push(m.#made(new PickleSet()))],
    /* FROZENSET */ [0x91, (m) => m.#frozenSet()],
    /* APPEND */ [0x61, (m) => m.#append(m.#popMany(1))],
    /* APPENDS */ [0x65, (m) => m.#append(m.#popToMark())],
    /* SETITEM */ [0x73, (m) => m.#setItems(m.#popMany(2))],
    /* SETITEMS */ [0x75, (m) => m.#setItems(m.#popToMark())],
    /* ADDITEMS */ [0x90, (m) => m.#addItems(m.#popToMark())],
    /* GLOBAL */ [0x63, (m) => m.#push(m.#world.global(m.#reader.line(), m.#reader.line()))],
    /* STACK_GLOBAL */ [0x93, (m) => m.#stackGlobal()],
    /* REDUCE */ [0x52, (m) => m.#reduce()],
    /* BUILD */ [0x62, (m) => m.#build()],
    /* BINPERSID */ [0x51, (m) => m.#push(m.#made(m.#world.persistent(m.#pop())))],
  ]);

  constructor(bytes: Uint8Array, start: number, world: PickleWorld) {
    this.#reader = new PickleReader(bytes, start);
    this.#world = world;
  }

  run(): { value: PickleValue; end: number } {
    for (let count = 0; count < mostOpcodes; count++) {
      const opcode = this.#reader.byte();
      if (opcode === stopOpcode) return this.#stop();
      const instruction = Machine.#instructions.get(opcode);
      if (!instruction) {
        const code = opcode.toString(16).padStart(2, '0');
        throw new Error(`the pickle instruction 0x${code}, which no file of weights needs`);
      }
      instruction(this);
    }
    throw new Error(`more than ${mostOpcodes} pickle instructions`);
  }

  #stop(): { value: PickleValue; end: number } {
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) {
      throw new Error('values left over after the pickle ends');
    }
    return { value, end: this.#reader.position };
  }

  #checkProtocol(version: number): void {
    if (version > highestProtocol) throw new Error(`pickle protocol ${version}`);
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** The value on top, left there. */
  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw new Error('a pickle instruction without its operand');
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw new Error('a pickle instruction without its operands');
    return this.#stack.splice(this.#stack.length - count);
  }

  #mark(): void {
    if (this.#marks.length === mostMarks) throw new Error(`nesting deeper than ${mostMarks}`);
    this.#marks.push(this.#stack);
    this.#stack = [];
  }

  /** All values since the last mark, which is undone. */
  #popToMark(): PickleValue[] {
    const below = this.#marks.pop();
    if (!below) throw new Error('a pickle instruction without its mark');
    const items = this.#stack;
    this.#stack = below;
    return items;
  }

  #made<T>(container: T): T {
    this.#containers += 1;
    if (this.#containers > mostContainers)
      throw new Error(`more than ${mostContainers} containers`);
    return container;
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new Error('a reference to a value that was never stored');
    this.#push(value);
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!(list instanceof PickleList)) throw new Error(`items for ${describeValue(list)}, no list`);
    for (const item of items) list.items.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof PickleDictionary)) {
      throw new Error(`keys for ${describeValue(dictionary)}, no dict`);
    }
    if (items.length % 2 === 1) throw new Error('a key without a value');
    for (let index = 0; index < items.length; index += 2) {
      dictionary.entries.set(items[index] ?? null, items[index + 1] ?? null);
    }
  }

  #tuple(items: readonly PickleValue[]): void {
    this.#push(this.#made(new PickleTuple(items)));
  }

  #frozenSet(): void {
    const set = this.#made(new PickleSet());
    for (const item of this.#popToMark()) set.items.add(item);
    this.#push(set);
  }

  #addItems(items: readonly PickleValue[]): void {
    const set = this.#top();
    if (!(set instanceof PickleSet)) throw new Error(`items for ${describeValue(set)}, no set`);
    for (const item of items) set.items.add(item);
  }

  #stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw new Error('a global whose name is no text');
    }
    this.#push(this.#world.global(module, name));
  }

  #build(): void {
    const state = this.#pop();
    this.#world.setState(this.#top(), state);
  }

  #reduce(): void {
    const [callable, values] = this.#popMany(2);
    if (!(callable instanceof PickleGlobal)) {
      throw new Error(`a call of ${describeValue(callable)}`);
    }
    if (!(values instanceof PickleTuple)) {
      throw new Error(`a call with ${describeValue(values)} in place of arguments`);
    }
    this.#push(this.#made(this.#world.call(callable, values.items)));
  }
}

/**
 * The value of the pickle that starts at `start`, and where the bytes after it begin.
 * @throws Error whose message says what is refused, damaged or too large.
 */
export function readPickleAt(
  bytes: Uint8Array,
  start: number,
  world: PickleWorld,
): { value: PickleValue; end: number } {
  return new Machine(bytes, start, world).run();
}

/**
 * The value of a pickle that is all of `bytes`.
 * @throws as `readPickleAt`
 */
export function readPickle(bytes: Uint8Array, world: PickleWorld): PickleValue {
  const { value, end } = readPickleAt(bytes, 0, world);
  if (end !== bytes.byteLength) throw new Error('bytes left over after the pickle ends');
  return value;
}
