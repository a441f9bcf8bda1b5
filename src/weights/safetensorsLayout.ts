/** Where the tensors of a `.safetensors` file lie, known before any of their values. */
import { elementSize } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { dtypeCodeOf, largestHeader } from './safetensorsHeader.ts';
import { countBytes, formatShape, type TensorDescription } from './stored.ts';

export interface SafetensorsLayout {
  /** The first bytes of the file, all but the values. */
  header: Buffer;
  /** Names in the order of their bytes in the file. */
  order: string[];
  /** First byte of each tensor, counted from the start of the file, and its length. */
  places: Map<string, { start: number; bytes: number }>;
}

/** @throws WorkError for a name that the format does not allow, or a shape that cannot be counted. */
function bytesOf(path: string, name: string, description: TensorDescription): number {
  const bytes = countBytes(description);
  if (name !== '' && name !== '__metadata__' && bytes !== undefined) return bytes;
  throw new WorkError({
    where: `${path}: tensor ${JSON.stringify(name)}`,
    expected: 'a name, and a shape that can be stored',
    got: `${description.dtype} ${formatShape(description.shape)}`,
  });
}

/**
 * Places the tensors, larger element types first, so that every tensor starts at a multiple of its
 * element's size, as the format's own library does; the header keeps the caller's order.
 */
export function layOut(
  path: string,
  tensors: ReadonlyMap<string, TensorDescription>,
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const sizes = new Map(
    [...tensors].map(([name, description]) => [name, bytesOf(path, name, description)]),
  );
  const width = (description: TensorDescription | undefined): number =>
    description ? elementSize(description.dtype) : 0;
  const order = [...tensors.keys()].sort((a, b) => width(tensors.get(b)) - width(tensors.get(a)));
  const offsets = new Map<string, [number, number]>();
  let end = 0;
  for (const name of order) {
    const begin = end;
    end += sizes.get(name) ?? 0;
    offsets.set(name, [begin, end]);
  }
  // As text by hand: an object would put names like "0" first, and take "__proto__" for no name.
  const entries = [...tensors].map(([name, { dtype, shape }]) => {
    const entry = { dtype: dtypeCodeOf(dtype), shape, data_offsets: offsets.get(name) };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  if (Object.keys(metadata).length > 0) {
    entries.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  const json = Buffer.from(`{${entries.join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > largestHeader) {
    throw new WorkError({
      where: path,
      expected: `a header of at most ${largestHeader} bytes`,
      got: `${padded}`,
    });
  }
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, 8);
  const places = [...offsets].map(([name, [begin, after]]) => {
    return [name, { start: header.length + begin, bytes: after - begin }] as const;
  });
  return { header, order, places: new Map(places) };
}
