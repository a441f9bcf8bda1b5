/**
 * A few words to write WebAssembly in, so that inner loops can use its 128-bit arithmetic without
 * anything to compile or to ship: modules are put together when they are first needed.
 * https://webassembly.github.io/spec/core/binary/
 */

/** Instructions, in lists of any depth. */
export type Code = number | readonly Code[];

const valueTypes = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof valueTypes;

/** A parameter or variable of a function, by its number. */
export type Variable = number;

export interface WasmFunction {
  name: string;
  parameters: readonly ValueType[];
  variables: readonly ValueType[];
  result?: ValueType;
  code: Code;
}

/** What is used of the platform's WebAssembly, which TypeScript types for browsers only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new <Exports>(module: object) => { exports: Exports };
};

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** By pages of 65,536 bytes. */
  grow(pages: number): number;
}

/** Gives numbers to a function's parameters, which come first, and to its variables. */
export interface Naming {
  parameter: (type: ValueType) => Variable;
  variable: (type: ValueType) => Variable;
}

/** A function to be assembled. */
export function define(
  name: string,
  build: (naming: Naming) => Code,
  result?: ValueType,
): WasmFunction {
  const parameters: ValueType[] = [];
  const variables: ValueType[] = [];
  const code = build({
    parameter: (type) => {
      if (variables.length > 0) throw new Error(`${name}: a parameter after a variable`);
      return parameters.push(type) - 1;
    },
    variable: (type) => parameters.length + variables.push(type) - 1,
  });
  return { name, parameters, variables, code, ...(result ? { result } : {}) };
}

/** The functions of a module, callable, and its `memory`: `Exports` says what they take. */
export function instantiate<Exports>(functions: readonly WasmFunction[]): Exports {
  return new WebAssembly.Instance<Exports>(new WebAssembly.Module(assemble(functions))).exports;
}

/** The module's memory, grown to at least `bytes` bytes; buffers got before are of no use any more. */
export function memoryOf(memory: WasmMemory, bytes: number): ArrayBuffer {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / 65_536);
  if (missing > 0) memory.grow(missing);
  return memory.buffer;
}

export const get = (variable: Variable): Code => [0x20, variable];
export const set = (variable: Variable, value: Code): Code => [value, 0x21, variable];

/** A whole number. */
export const integer = (value: number): Code => [0x41, signed(value)];
export const addIntegers = (a: Code, b: Code): Code => [a, b, 0x6a];
export const shiftLeft = (a: Code, b: Code): Code => [a, b, 0x74];
export const loadInteger = (address: Code): Code => [address, 0x28, 0, 0];
/** `variable` += `step`. */
export const advance = (variable: Variable, step: Code): Code =>
  set(variable, addIntegers(get(variable), step));

/** Runs `body` at least once, and again while `counter`, which grows by `step`, is below `limit`. */
export const loop = (body: Code, counter: Variable, step: number, limit: Variable): Code => [
  [0x03, 0x40],
  body,
  [get(counter), integer(step), 0x6a, 0x22, counter],
  [get(limit), 0x49, 0x0d, 0, 0x0b],
];

/** A vector instruction by its number. */
export const vector = (code: number, ...operands: number[]): Code => [
  0xfd,
  unsigned(code),
  operands,
];
const unary =
  (code: number) =>
  (a: Code): Code => [a, vector(code)];
const binary =
  (code: number) =>
  (a: Code, b: Code): Code => [a, b, vector(code)];

export const loadVector = (address: Code, offset = 0): Code => [
  address,
  [0xfd, 0x00, 0, unsigned(offset)],
];
export const storeVector = (address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  [0xfd, 0x0b, 0, unsigned(offset)],
];
/** One number of 32 bits in all four places. */
export const loadRepeated = (address: Code): Code => [address, vector(0x09, 0, 0)];
/** The first of the four numbers of 32 bits. */
export const storeFirst = (address: Code, value: Code): Code => [
  address,
  value,
  vector(0x5a, 0, 0, 0),
];
export const vectorOf = (bytes: readonly number[]): Code => vector(0x0c, ...bytes);
/** Bytes of `a` (0 to 15) and `b` (16 to 31). */
export const shuffleBytes = (a: Code, b: Code, bytes: readonly number[]): Code => [
  a,
  b,
  vector(0x0d, ...bytes),
];
/** Numbers of 32 bits of `a` (0 to 3) and `b` (4 to 7). */
export const shuffle = (a: Code, b: Code, lanes: readonly number[]): Code =>
  shuffleBytes(
    a,
    b,
    lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)),
  );
/** The bits of `a` where `mask` has ones, else those of `b`. */
export const select = (a: Code, b: Code, mask: Code): Code => [a, b, mask, vector(0x52)];

export const bytes = { widenLow: unary(0x89), widenHigh: unary(0x8a) } as const;
export const shorts = {
  widenLow: unary(0xa9),
  widenHigh: unary(0xaa),
  /** Both halves hold the sixteen numbers as bytes from 0 to 255. */
  narrow: binary(0x66),
} as const;
export const integers = {
  add: binary(0xae),
  multiply: binary(0xb5),
  /** Of 16-bit numbers: products of pairs, added. */
  dot: binary(0xba),
  /** To signed 16 bits, of both. */
  narrow: binary(0x85),
  shiftRight: binary(0xac),
} as const;
/** Four numbers of single precision. */
export const floats = {
  fromIntegers: unary(0xfa),
  repeat: unary(0x13),
  add: binary(0xe4),
  subtract: binary(0xe5),
  multiply: binary(0xe6),
  divide: binary(0xe7),
  /** Of numbers that are none, the first. */
  least: binary(0xea),
  greatest: binary(0xeb),
  floor: unary(0x68),
  equal: binary(0x41),
  constant: (value: number): Code =>
    vectorOf([...new Uint8Array(Float32Array.of(value, value, value, value).buffer)]),
} as const;
/** Two numbers of double precision. */
export const doubles = {
  /** The first two of four. */
  fromFloats: unary(0x5f),
  add: binary(0xf0),
  first: (a: Code): Code => [a, vector(0x21, 0)],
  second: (a: Code): Code => [a, vector(0x21, 1)],
  addNumbers: (a: Code, b: Code): Code => [a, b, 0xa0],
} as const;

/** The bytes of the module. */
function assemble(functions: readonly WasmFunction[]): Uint8Array {
  const text = (name: string): Code => [name.length, [...Buffer.from(name)]];
  const list = (items: readonly Code[]): Code => [unsigned(items.length), items];
  const sized = (content: Code): Code => {
    const flat = flatten(content);
    return [unsigned(flat.length), flat];
  };
  const section = (id: number, content: Code): Code => [id, sized(content)];
  const types = (names: readonly ValueType[]): Code => list(names.map((name) => valueTypes[name]));
  const signatures = functions.map(({ parameters, result }) => [
    0x60,
    types(parameters),
    types(result ? [result] : []),
  ]);
  const bodies = functions.map(({ variables, code }) =>
    sized([list(variables.map((name) => [1, valueTypes[name]])), code, 0x0b]),
  );
  const exported = functions.map(({ name }, number) => [text(name), 0, number]);
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, list(signatures)),
      section(3, list(functions.map((_, number) => number))),
      section(5, [1, 0, 1]),
      section(7, list([[text('memory'), 2, 0], ...exported])),
      section(10, list(bodies)),
    ]),
  );
}

function flatten(code: Code): number[] {
  return typeof code === 'number' ? [code] : code.flatMap(flatten);
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
