/** Writes `.safetensors` files, whole or not at all. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { elementSize, Tensor } from '../tensor/index.ts';
import { explainWriteFailure, WorkError } from '../util/index.ts';
import { dtypeCodeOf, largestHeader } from './safetensorsHeader.ts';
import { countBytes, formatShape, type StoredTensor, type TensorDescription } from './stored.ts';

function checkTensor(path: string, name: string, tensor: Tensor | StoredTensor): number {
  const bytes = countBytes(tensor);
  const held = tensor instanceof Tensor ? tensor.byteCount : tensor.bytes.byteLength;
  if (name !== '' && name !== '__metadata__' && bytes === held) return held;
  throw new WorkError({
    where: `${path}: tensor ${JSON.stringify(name)}`,
    expected: `a name, and ${bytes} bytes for ${tensor.dtype} ${formatShape(tensor.shape)}`,
    got: `${held} bytes`,
  });
}

interface Layout {
  header: Buffer;
  /** Names in the order of their bytes in the file. */
  order: string[];
}

/**
 * Places the tensors, larger element types first, so that every tensor starts at a multiple of its
 * element's size, as the format's own library does; the header keeps the caller's order.
 */
function layOut(
  path: string,
  tensors: ReadonlyMap<string, Tensor | StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): Layout {
  const sizes = new Map(
    [...tensors].map(([name, tensor]) => [name, checkTensor(path, name, tensor)]),
  );
  const width = (tensor: TensorDescription | undefined): number =>
    tensor ? elementSize(tensor.dtype) : 0;
  const order = [...tensors.keys()].sort((a, b) => width(tensors.get(b)) - width(tensors.get(a)));
  const places = new Map<string, [number, number]>();
  let end = 0;
  for (const name of order) {
    const begin = end;
    end += sizes.get(name) ?? 0;
    places.set(name, [begin, end]);
  }
  // As text by hand: an object would put names like "0" first, and take "__proto__" for no name.
  const entries = [...tensors].map(([name, { dtype, shape }]) => {
    const entry = { dtype: dtypeCodeOf(dtype), shape, data_offsets: places.get(name) };
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
  return { header, order };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - written, 2 ** 30);
    written += (await handle.write(bytes, written, length)).bytesWritten;
  }
}

/** A tensor's elements as dense bytes; those of a LibTorch tensor are copied out. */
function bytesOf(tensor: Tensor | StoredTensor): Uint8Array {
  if (!(tensor instanceof Tensor)) return tensor.bytes;
  const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A temporary file that was not written to for so long has lost its process, in milliseconds. */
const staleAfter = 10 * 60 * 1000;

/** Removes temporary files of `path` that killed processes left, so that they do not fill the disk. */
async function removeStale(path: string): Promise<void> {
  const prefix = `.${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length)))
      continue;
    const left = join(dirname(path), name);
    // Another writer may rename or remove it meanwhile.
    const modified = await stat(left).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - modified > staleAfter) await rm(left, { force: true });
  }
}

/**
 * Writes named tensors to `path`: to a temporary file beside it, synced, then renamed, so that a crash or
 * a full disk never leaves half a checkpoint and never harms the one that was there. Folders are made.
 * Tensors are written one by one and must stay alive and unchanged until the promise resolves.
 * @throws WorkError when the disk is full or the folder cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor | StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { header, order } = layOut(path, tensors, metadata);
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await removeStale(path);
    const handle = await open(temporary, 'wx');
    try {
      await writeAll(handle, header);
      for (const name of order) {
        const tensor = tensors.get(name);
        if (tensor) await writeAll(handle, bytesOf(tensor));
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainWriteFailure(path, error);
  }
}
