/**
 * The header of a `.safetensors` file: 8 bytes of length, then JSON that maps names to dtype, shape and
 * place. Format: https://github.com/huggingface/safetensors#format. As there, the places must tile the
 * data exactly: no gap, no overlap, nothing after the end.
 */
import type { DType } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { parseHeaderJson } from './jsonHeader.ts';
import { countBytes, formatShape, quotable, type TensorDescription } from './stored.ts';

/** The format's own limit, in bytes. */
export const largestHeader = 100_000_000;

const dtypes: ReadonlyMap<string, DType> = new Map([
  ['F32', 'float32'],
  ['F64', 'float64'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

const codes: ReadonlyMap<DType, string> = new Map(
  [...dtypes].map(([code, dtype]) => [dtype, code]),
);

/** The format's name of a dtype. */
export function dtypeCodeOf(dtype: DType): string {
  return codes.get(dtype) ?? dtype;
}

/** A tensor and where its bytes lie, counted from the end of the header. */
export interface PlacedTensor extends TensorDescription {
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: Map<string, PlacedTensor>;
  metadata: Record<string, string>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** A name as an error quotes it: short, whatever the file says. */
function quote(name: string): string {
  return quotable(JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}…` : name));
}

function readMetadata(path: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const bad = isRecord(value)
    ? Object.entries(value).find(([, text]) => typeof text !== 'string')
    : [''];
  if (!isRecord(value) || bad) {
    throw new WorkError({
      where: path,
      expected: '__metadata__ that maps names to text',
      got: bad?.[0] ? `something else for ${quote(bad[0])}` : 'something else',
    });
  }
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function readEntry(path: string, name: string, value: unknown): PlacedTensor {
  const fail = (expected: string, got: string): WorkError =>
    new WorkError({ where: `${path}: tensor ${quote(name)}`, expected, got: quotable(got) });
  if (!isRecord(value)) throw fail('an object with dtype, shape and data_offsets', typeof value);
  const unknown = Object.keys(value).find(
    (key) => !['dtype', 'shape', 'data_offsets'].includes(key),
  );
  if (unknown !== undefined) throw fail('dtype, shape and data_offsets only', quote(unknown));
  const { dtype: code, shape, data_offsets: offsets } = value;
  const dtype = typeof code === 'string' ? dtypes.get(code) : undefined;
  if (!dtype) {
    const got = typeof code === 'string' ? quote(code) : 'none';
    throw fail(`a dtype among ${[...dtypes.keys()].join(', ')}`, got);
  }
  if (!isCounts(shape)) throw fail('a shape of whole numbers', JSON.stringify(shape) ?? 'none');
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw fail('two data_offsets', JSON.stringify(offsets) ?? 'none');
  }
  const [begin = 0, end = 0] = offsets;
  const bytes = countBytes({ dtype, shape });
  if (bytes === undefined || end - begin !== bytes) {
    throw fail(
      `${bytes ?? 'a countable number of'} bytes for ${code} ${formatShape(shape)}`,
      `data_offsets [${begin}, ${end}]`,
    );
  }
  return { dtype, shape, begin, end };
}

/** Checks that the tensors cover the `dataSize` bytes after the header, each byte once. */
function checkTiling(path: string, tensors: Map<string, PlacedTensor>, dataSize: number): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const [name, { begin, end }] of ordered) {
    if (begin !== covered) {
      throw new WorkError({
        where: `${path}: tensor ${quote(name)}`,
        expected: `data from byte ${covered}, where the tensor before ends`,
        got: `${begin}, ${begin < covered ? 'an overlap' : 'a gap'}`,
        hint: 'the file is damaged: copy or download it again',
      });
    }
    covered = end;
  }
  if (covered !== dataSize) {
    throw new WorkError({
      where: path,
      expected: `${covered} bytes of data, as the header says`,
      got: `${dataSize}`,
      hint: `the file is ${covered > dataSize ? 'truncated' : 'damaged'}: copy or download it again`,
    });
  }
}

/**
 * Parses and checks a header. `bytes` is the JSON, `dataSize` the number of bytes after it.
 * @throws WorkError that names the tensor at fault.
 */
export function parseSafetensorsHeader(
  path: string,
  bytes: Uint8Array,
  dataSize: number,
): SafetensorsHeader {
  let header: unknown;
  try {
    header = parseHeaderJson(bytes);
  } catch (error) {
    const got = quotable(error instanceof Error ? error.message.slice(0, 300) : String(error));
    throw new WorkError(
      { where: path, expected: 'a safetensors header of JSON with every name once', got },
      { cause: error },
    );
  }
  if (!isRecord(header)) {
    throw new WorkError({ where: path, expected: 'a JSON object as header', got: typeof header });
  }
  const tensors = new Map<string, PlacedTensor>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') tensors.set(name, readEntry(path, name, value));
  }
  checkTiling(path, tensors, dataSize);
  const metadata = Object.hasOwn(header, '__metadata__') ? header.__metadata__ : undefined;
  return { tensors, metadata: readMetadata(path, metadata) };
}
