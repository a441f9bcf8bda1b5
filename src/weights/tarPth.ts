/**
 * Reads PyTorch checkpoints of 0.1 (before 0.1.10): a tar archive of the members `storages`, `tensors` and
 * `pickle`. The object refers to tensors by number, tensors to storages by number. Published files of those
 * days are still in use: torchvision's `resnet50-19c8e357.pth` is one.
 *
 * Upstream: `legacy_load` in torch/serialization.py,
 * https://github.com/pytorch/pytorch/blob/main/torch/serialization.py.
 */

import { type Place, placedRecords, placeStorage, requireLittleEndian } from './legacyPth.ts';
import { type PickleWorld, readPickle, readPickleAt } from './pickle.ts';
import {
  describeValue,
  PickleGlobal,
  PickleList,
  PickleTuple,
  type PickleValue,
} from './pickleValues.ts';
import type { RegularFile } from './regularFile.ts';
import { explainPickle, failureOf, mostRecords, openStateDict } from './stateDict.ts';
import type { OpenedWeights } from './stored.ts';
import { readTarMembers, type TarMember } from './tarArchive.ts';
import {
  makeStorage,
  makeStorageView,
  StorageReference,
  type TensorReference,
  torchWorld,
  viewOf,
  whole,
} from './torchObjects.ts';

/** Room for twenty thousand tensors of some hundred bytes each. */
const largestMember = 2 ** 22;

/** A storage is described in less: its number, `cpu` or a GPU, its type. */
const largestDescription = 1024;

/** Tensors of networks have at most 5 dimensions. */
const mostDimensions = 64;

/** Everything that a number may refer to. */
type Objects = Map<string, StorageReference | TensorReference>;

/** A number by which objects refer to each other: Python's, however it was pickled. */
function identifierOf(value: PickleValue | undefined): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string' && /^\d+$/.test(value)) return value;
  throw new Error(`${describeValue(value)} in place of a number that refers to something`);
}

function storageOf(objects: Objects, value: PickleValue | undefined): StorageReference {
  const found = objects.get(identifierOf(value));
  if (found instanceof StorageReference) return found;
  throw new Error(`a reference to the storage ${identifierOf(value)}, which is not there`);
}

function itemsOf(value: PickleValue, count: number): readonly PickleValue[] {
  const items = value instanceof PickleTuple ? value.items : [];
  if (items.length === count) return items;
  throw new Error(`${describeValue(value)} in place of a tuple of ${count}`);
}

/** Storages one after another, each a pickled description, its number of elements, its bytes. */
async function readStorages(
  file: RegularFile,
  { begin, byteCount }: TarMember,
  objects: Objects,
): Promise<Map<string, Place>> {
  const end = begin + byteCount;
  let position = begin;
  const next = async (most: number): Promise<PickleValue> => {
    const bytes = await file.read(position, Math.min(most, end - position));
    const read = explainPickle(file.path, () => readPickleAt(bytes, 0, torchWorld));
    position += read.end;
    return read.value;
  };
  const countValue = await next(largestDescription);
  const count = explainPickle(file.path, () => countOf(countValue, 'storages'));
  const places = new Map<string, Place>();
  for (let index = 0; index < count; index++) {
    const description = await next(largestDescription);
    const { key, type } = explainPickle(file.path, () => {
      const [id, , storageType] = itemsOf(description, 3);
      if (!(storageType instanceof PickleGlobal)) throw new Error('a storage without a type');
      return { key: identifierOf(id), type: storageType };
    });
    const elements = Buffer.from(await file.read(position, 8)).readBigUInt64LE(0);
    const storage = explainPickle(file.path, () => makeStorage(type, key, Number(elements)));
    const place = await placeStorage(file, position, storage);
    position = place.begin + place.byteCount;
    if (position > end) throw failureOf(file.path)(`${byteCount} bytes of storages`, 'more');
    objects.set(key, storage);
    places.set(key, place);
  }
  // Parts of storages, which have numbers of their own.
  const views = await next(largestMember);
  explainPickle(file.path, () => addViews(views, objects));
  return places;
}

function addViews(views: PickleValue, objects: Objects): void {
  if (!(views instanceof PickleList)) throw new Error(`${describeValue(views)} of storage views`);
  for (const view of views.items) {
    const [id, root, offset, length] = itemsOf(view, 4);
    objects.set(identifierOf(id), makeStorageView(storageOf(objects, root), offset, length));
  }
}

function countOf(value: PickleValue, what: string): number {
  const count = whole(value, `the number of ${what}`);
  if (count <= mostRecords) return count;
  throw new Error(`${count} ${what}`);
}

/** Tensors one after another: a pickled description, dimensions, sizes, strides, offset (64-bit). */
function readTensors(bytes: Uint8Array, objects: Objects): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = readPickleAt(bytes, 0, torchWorld);
  let position = first.end;
  const count = countOf(first.value, 'tensors');
  const take = (length: number): number => {
    const start = position;
    if (start + length > bytes.byteLength) throw new Error('tensors that end in the middle');
    position += length;
    return start;
  };
  const integer = (): number => Number(buffer.readBigInt64LE(take(8)));
  for (let index = 0; index < count; index++) {
    const { value, end } = readPickleAt(bytes, position, torchWorld);
    position = end;
    const [id, storageId] = itemsOf(value, 3);
    // Four bytes of dimensions, four of padding.
    const dimensions = buffer.readUInt32LE(take(8));
    if (dimensions > mostDimensions) throw new Error(`${dimensions} dimensions`);
    const integers = (): PickleTuple =>
      new PickleTuple(Array.from({ length: dimensions }, integer));
    const shape = integers();
    const strides = integers();
    const storage = storageOf(objects, storageId);
    if (!storage.dtype) throw new Error('a tensor over a storage without a type');
    objects.set(identifierOf(id), viewOf(storage, storage.dtype, integer(), shape, strides));
  }
}

/**
 * Reads and checks the description of the tensors; their storages are read when asked for.
 * @throws WorkError
 */
export async function openTarPth(file: RegularFile): Promise<OpenedWeights> {
  const fail = failureOf(file.path);
  const members = await readTarMembers(file);
  const find = (name: string): TarMember => {
    const member = members.get(name);
    if (member && (name === 'storages' || member.byteCount <= largestMember)) return member;
    const names = [...members.keys()].slice(0, 4).join(', ').slice(0, 160);
    throw fail(
      `a PyTorch 0.1 checkpoint (a tar archive with "${name}" of at most ${largestMember} bytes)`,
      member ? `${member.byteCount} bytes` : `a tar archive of ${names || 'nothing'}`,
    );
  };
  const bytesOf = ({ begin, byteCount }: TarMember) => file.read(begin, byteCount);
  const [storages, tensors, pickle] = ['storages', 'tensors', 'pickle'].map(find);
  const system = members.get('sys_info');
  if (!storages || !tensors || !pickle) throw fail('a PyTorch 0.1 checkpoint', 'something else');
  if (system && system.byteCount <= largestDescription) {
    const bytes = await bytesOf(system);
    explainPickle(file.path, () => requireLittleEndian(readPickle(bytes, torchWorld)));
  }
  const objects: Objects = new Map();
  const places = await readStorages(file, storages, objects);
  const tensorBytes = await bytesOf(tensors);
  explainPickle(file.path, () => readTensors(tensorBytes, objects));
  const world: PickleWorld = {
    ...torchWorld,
    persistent(id) {
      const found = objects.get(identifierOf(id));
      if (found) return found;
      throw new Error(`a reference to the object ${identifierOf(id)}, which is not there`);
    },
  };
  const pickleBytes = await bytesOf(pickle);
  const root = explainPickle(file.path, () => readPickle(pickleBytes, world));
  return openStateDict(file, root, placedRecords(file, places), { container: 'PyTorch 0.1' });
}
