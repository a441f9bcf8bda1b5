/** Writes pickles for tests, well-formed or not, instruction by instruction. */

/** Pieces of a pickle: numbers are bytes, strings ASCII. */
type Piece = number | string | Uint8Array;

export function pickle(...pieces: Piece[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => {
      if (typeof piece === 'number') return Buffer.from([piece]);
      return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece);
    }),
  );
}

export const mark = '(';
export const stop = '.';

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return pickle('X', length, bytes);
}

/** A whole number as LONG1 of eight bytes. */
export function integer(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return pickle(0x8a, 8, bytes);
}

export function global(module: string, name: string): Buffer {
  return pickle('c', `${module}\n${name}\n`);
}

export function tuple(...items: Piece[]): Buffer {
  return pickle(mark, ...items, 't');
}

/** A dict of texts to values. */
export function dictionary(entries: Record<string, Piece>): Buffer {
  const items = Object.entries(entries).flatMap(([name, value]) => [text(name), value]);
  return pickle('}', mark, ...items, 'u');
}

export interface TensorPieces {
  storage?: Piece;
  key?: string;
  /** Elements of the storage. */
  count?: number;
  offset?: number;
  shape: number[];
  strides: number[];
}

/** A tensor as torch.save describes it, float32 unless `storage` says otherwise. */
export function tensor({
  storage = global('torch', 'FloatStorage'),
  key = '0',
  count = 4,
  offset = 0,
  shape,
  strides,
}: TensorPieces): Buffer {
  const id = tuple(text('storage'), storage, text(key), text('cpu'), integer(count));
  const hooks = pickle(global('collections', 'OrderedDict'), ')R');
  return pickle(
    global('torch._utils', '_rebuild_tensor_v2'),
    tuple(
      pickle(id, 'Q'),
      integer(offset),
      tuple(...shape.map(integer)),
      tuple(...strides.map(integer)),
      0x89,
      hooks,
    ),
    'R',
  );
}

/** A whole pickle of protocol 2. */
export function whole(value: Piece): Buffer {
  return pickle(0x80, 2, value, stop);
}
