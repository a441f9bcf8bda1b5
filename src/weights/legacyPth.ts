/**
 * Reads PyTorch checkpoints from before 1.6, which are no archive: four pickles one after another (a magic
 * number, a version, the writer's machine, the object), a pickle of storage keys, then each storage as its
 * number of elements and its bytes. There are no checksums.
 *
 * Upstream: `_legacy_save` and `_legacy_load` of torch/serialization.py,
 * https://github.com/pytorch/pytorch/blob/main/torch/serialization.py.
 */
import { elementSize } from '../tensor/index.ts';
import { type PickleWorld, readPickleAt } from './pickle.ts';
import {
  describeValue,
  PickleDictionary,
  PickleGlobal,
  PickleList,
  PickleTuple,
  type PickleValue,
} from './pickleValues.ts';
import type { RegularFile } from './regularFile.ts';
import {
  damaged,
  explainPickle,
  failureOf,
  largestPickle,
  mostRecords,
  openStateDict,
} from './stateDict.ts';
import type { OpenedWeights } from './stored.ts';
import { makeStorage, makeStorageView, type StorageReference, torchWorld } from './torchObjects.ts';

/** The version that `torch.save` wrote in this format, from the first to the last. */
const formatVersion = 1001;

/** Where a storage's bytes lie in the file. */
export interface Place {
  begin: number;
  byteCount: number;
}

/** Storages that the object refers to by (word, type, key, location, count, part of it or None). */
function legacyWorld(storages: Map<string, StorageReference>): PickleWorld {
  return {
    ...torchWorld,
    persistent(id) {
      const items = id instanceof PickleTuple ? id.items : [];
      const [word, type, key, , count, view] = items;
      if (word !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string') {
        throw new Error(`a reference to ${describeValue(id)} in place of a storage`);
      }
      const storage = makeStorage(type, key, count);
      const known = storages.get(key);
      if (known && (known.recordBytes !== storage.recordBytes || known.dtype !== storage.dtype)) {
        throw new Error(`two descriptions of the storage ${describeValue(key)}`);
      }
      storages.set(key, storage);
      if (view === null || view === undefined) return storage;
      const [, offset, length] = view instanceof PickleTuple ? view.items : [];
      return makeStorageView(storage, offset, length);
    },
  };
}

/** @throws Error unless the pickled description of the writer's machine is of a little-endian one. */
export function requireLittleEndian(system: PickleValue): void {
  const order = system instanceof PickleDictionary ? system.entries.get('little_endian') : true;
  if (order === false) throw new Error('big-endian tensors');
}

/** The object and the keys of its storages, in the order in which they follow. */
function readPickles(
  head: Uint8Array,
  storages: Map<string, StorageReference>,
): { root: PickleValue; keys: string[]; end: number } {
  let position = 0;
  const next = (world: PickleWorld): PickleValue => {
    const { value, end } = readPickleAt(head, position, world);
    position = end;
    return value;
  };
  // The magic number, by which the format was told.
  next(torchWorld);
  const version = next(torchWorld);
  if (version !== formatVersion) throw new Error(`format version ${describeValue(version)}`);
  requireLittleEndian(next(torchWorld));
  const root = next(legacyWorld(storages));
  const keys = next(torchWorld);
  if (!(keys instanceof PickleList) || keys.items.length > mostRecords) {
    throw new Error(`${describeValue(keys)} in place of the keys of the storages`);
  }
  return { root, keys: keys.items.map(String), end: position };
}

/**
 * Where the bytes of a storage lie whose number of elements is written at `position`.
 * @throws WorkError where that is another number than the pickle says.
 */
export async function placeStorage(
  file: RegularFile,
  position: number,
  storage: StorageReference,
): Promise<Place> {
  const size = storage.dtype ? elementSize(storage.dtype) : 1;
  const count = Buffer.from(await file.read(position, 8)).readBigUInt64LE(0);
  const wanted = storage.recordBytes / size;
  if (count !== BigInt(wanted)) {
    const where = `${wanted} elements in the storage ${storage.key.slice(0, 40)}`;
    throw failureOf(file.path)(where, String(count), damaged);
  }
  return { begin: position + 8, byteCount: storage.recordBytes };
}

/**
 * Reads and checks the description of the tensors; their storages are read when asked for.
 * @throws WorkError
 */
export async function openLegacyPth(file: RegularFile): Promise<OpenedWeights> {
  const fail = failureOf(file.path);
  const head = await file.read(0, Math.min(file.size, largestPickle));
  const storages = new Map<string, StorageReference>();
  const { root, keys, end } = explainPickle(file.path, () => readPickles(head, storages));
  const places = new Map<string, Place>();
  let position = end;
  for (const key of keys) {
    const storage = storages.get(key);
    if (!storage || places.has(key)) {
      const got = `${storage ? 'a second' : 'an unknown'} storage ${describeValue(key)}`;
      throw fail('the storages that the tensors lie in, each once', got, damaged);
    }
    const place = await placeStorage(file, position, storage);
    places.set(key, place);
    position = place.begin + place.byteCount;
  }
  if (position !== file.size) {
    throw fail(`a file that ends after ${position} bytes`, `${file.size}`, damaged);
  }
  return openStateDict(file, root, placedRecords(file, places), {
    container: 'PyTorch before 1.6',
  });
}

/** Records that lie plainly in a file. */
export function placedRecords(file: RegularFile, places: ReadonlyMap<string, Place>) {
  return {
    sizeOf: (key: string) => places.get(key)?.byteCount,
    read: async (key: string) => {
      const { begin, byteCount } = places.get(key) ?? { begin: 0, byteCount: 0 };
      return file.read(begin, byteCount);
    },
  };
}
