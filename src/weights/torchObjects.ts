/**
 * What the pickle of a PyTorch checkpoint may refer to: storages, the functions that rebuild tensors, and
 * plain containers. The table here is the whole allow-list; anything else is refused by name, used or not.
 *
 * Upstream: https://github.com/pytorch/pytorch/blob/main/torch/_utils.py, torch/_tensor.py,
 * torch/serialization.py.
 */
import { type DType, elementSize } from '../tensor/index.ts';
import type { PickleWorld } from './pickle.ts';
import {
  describeValue,
  PickleDictionary,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleSet,
  PickleTuple,
  type PickleValue,
} from './pickleValues.ts';
import { countElements, formatShape } from './stored.ts';

/** A record of the file that holds the elements of one or several tensors, or a part of a record. */
export class StorageReference extends PickleObject {
  override readonly kind = 'a storage';
  /** The record's name: below `data/` in an archive. */
  readonly key: string;
  /** Bytes of the whole record. */
  readonly recordBytes: number;
  /** `undefined` for an untyped storage. */
  readonly dtype: DType | undefined;
  /** Where in the record the storage begins, in bytes. */
  readonly begin: number;
  /** Bytes of the storage itself. */
  readonly byteCount: number;

  constructor(
    key: string,
    recordBytes: number,
    dtype: DType | undefined,
    part: { begin: number; byteCount: number } = { begin: 0, byteCount: recordBytes },
  ) {
    super();
    this.key = key;
    this.recordBytes = recordBytes;
    this.dtype = dtype;
    this.begin = part.begin;
    this.byteCount = part.byteCount;
  }
}

/** A view of a record: element i₀, i₁, … lies at `offset + Σ iₖ · strides[k]`, in elements. */
export class TensorReference extends PickleObject {
  override readonly kind = 'a tensor';
  readonly storage: StorageReference;
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(
    storage: StorageReference,
    dtype: DType,
    place: { offset: number; shape: readonly number[]; strides: readonly number[] },
  ) {
    super();
    this.storage = storage;
    this.dtype = dtype;
    this.offset = place.offset;
    this.shape = place.shape;
    this.strides = place.strides;
  }
}

const storageTypes: ReadonlyMap<string, DType> = new Map([
  ['torch.FloatStorage', 'float32'],
  ['torch.DoubleStorage', 'float64'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
]);

const untypedStorages = ['torch.storage.UntypedStorage', 'torch.UntypedStorage'];

const dtypes: ReadonlyMap<string, DType> = new Map(
  [...storageTypes.values()].map((dtype) => [`torch.${dtype}`, dtype]),
);

/** Classes that are only ever mentioned: as the type of a rebuilt tensor, or a defaultdict's factory. */
const mentioned = [
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  ...['list', 'dict', 'set', 'int', 'float'].map((name) => `builtins.${name}`),
  // Named beside every tensor in the files of PyTorch 0.1.
  ...[...storageTypes.keys()].map((name) => name.replace('Storage', 'Tensor')),
];

type Call = (values: readonly PickleValue[]) => PickleValue;

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['torch._utils._rebuild_tensor', (values) => rebuildTensor(values, 4, 4)],
  ['torch._utils._rebuild_tensor_v2', (values) => rebuildTensor(values, 6, 7)],
  ['torch._utils._rebuild_tensor_v3', rebuildUntyped],
  ['torch._utils._rebuild_parameter', (values) => rebuildParameter(values, 3)],
  ['torch._utils._rebuild_parameter_with_state', (values) => rebuildParameter(values, 4)],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  ['collections.OrderedDict', newOrderedDictionary],
  ['collections.defaultdict', (values) => newDictionary(values, 1)],
  ['collections.Counter', newCounter],
  ['builtins.set', newSet],
  ['builtins.frozenset', newSet],
  ['torch.Size', newSize],
]);

const allowed: ReadonlySet<string> = new Set([
  ...storageTypes.keys(),
  ...untypedStorages,
  ...dtypes.keys(),
  ...mentioned,
  ...calls.keys(),
]);

/** A pickle's world for PyTorch checkpoints. It holds no state: storages are only referred to. */
export const torchWorld: PickleWorld = {
  global(module, name) {
    // Protocol 2 writes Python 2's names of a few modules.
    const full = `${module === '__builtin__' ? 'builtins' : module}.${name}`;
    if (!allowed.has(full)) throw new RefusedGlobalError(full);
    return new PickleGlobal(full);
  },

  call(callable, values) {
    const call = calls.get(callable.name);
    if (!call) throw new Error(`a call of ${callable.name}`);
    return call(values);
  },

  setState(target, state) {
    // A state_dict carries its modules' versions as an attribute, `_metadata`; nothing here needs it.
    if (target instanceof PickleDictionary && state instanceof PickleDictionary) return;
    throw new Error(`attributes for ${describeValue(target)}`);
  },

  persistent(id) {
    const items = id instanceof PickleTuple ? id.items : [];
    const [word, type, key, location, count] = items;
    if (
      items.length !== 5 ||
      word !== 'storage' ||
      !(type instanceof PickleGlobal) ||
      typeof key !== 'string' ||
      typeof location !== 'string'
    ) {
      throw new Error(`a reference to ${describeValue(id)} in place of a storage`);
    }
    return makeStorage(type, key, count);
  },
};

/** The storage of `count` elements of the type that `type` names. */
export function makeStorage(
  type: PickleGlobal,
  key: string,
  count: PickleValue | undefined,
): StorageReference {
  const dtype = storageTypes.get(type.name);
  if (!dtype && !untypedStorages.includes(type.name)) {
    throw new Error(`a storage of type ${type.name}`);
  }
  const bytes = whole(count, 'the size of a storage') * (dtype ? elementSize(dtype) : 1);
  return new StorageReference(key, bytes, dtype);
}

/** A part of a storage, as PyTorch had them until 0.4; `offset` and `count` in elements. */
export function makeStorageView(
  root: StorageReference,
  offset: PickleValue | undefined,
  count: PickleValue | undefined,
): StorageReference {
  const size = root.dtype ? elementSize(root.dtype) : 1;
  const begin = whole(offset, 'the offset of a storage') * size;
  const byteCount = whole(count, 'the size of a storage') * size;
  if (begin + byteCount > root.byteCount) {
    throw new Error(`a part up to byte ${begin + byteCount} of a storage of ${root.byteCount}`);
  }
  const part = { begin: root.begin + begin, byteCount };
  return new StorageReference(root.key, root.recordBytes, root.dtype, part);
}

/** The pickle names a class or function that is not on the allow-list. */
export class RefusedGlobalError extends Error {
  readonly globalName: string;
  constructor(globalName: string) {
    super(`a pickle that refers to ${JSON.stringify(globalName.slice(0, 200)).slice(1, -1)}`);
    this.name = 'RefusedGlobalError';
    this.globalName = globalName;
  }
}

/** A count. @throws Error for anything else. */
export function whole(value: PickleValue | undefined, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${describeValue(value)} for ${what}`);
}

function wholes(value: PickleValue | undefined, what: string): number[] {
  if (!(value instanceof PickleTuple)) throw new Error(`${describeValue(value)} for ${what}`);
  if (value.items.length > 64) throw new Error(`${value.items.length} dimensions`);
  return value.items.map((item) => whole(item, what));
}

/** (storage, offset, size, stride[, requires_grad, backward_hooks[, metadata]]) */
function rebuildTensor(values: readonly PickleValue[], least: number, most: number): PickleValue {
  expectCount(values, least, most);
  const [storage, offset, size, stride, , , metadata] = values;
  if (!(storage instanceof StorageReference) || !storage.dtype) {
    throw new Error(`a tensor over ${describeValue(storage)} without a type`);
  }
  refuseLazyView(metadata);
  return viewOf(storage, storage.dtype, offset, size, stride);
}

/** (untyped storage, offset, size, stride, requires_grad, backward_hooks, dtype[, metadata]) */
function rebuildUntyped(values: readonly PickleValue[]): PickleValue {
  expectCount(values, 7, 8);
  const [storage, offset, size, stride, , , type, metadata] = values;
  const dtype = type instanceof PickleGlobal ? dtypes.get(type.name) : undefined;
  if (!(storage instanceof StorageReference) || !dtype) {
    throw new Error(`a tensor of dtype ${describeValue(type)} over ${describeValue(storage)}`);
  }
  refuseLazyView(metadata);
  return viewOf(storage, dtype, offset, size, stride);
}

/** The metadata marks views that are conjugated or negated lazily: their storage holds other values. */
function refuseLazyView(metadata: PickleValue | undefined): void {
  if (metadata instanceof PickleDictionary && metadata.entries.size > 0) {
    throw new Error('a tensor that is a conjugate or negative view');
  }
}

/** A tensor over a storage: offset, shape and strides in elements. @throws Error where it reaches past. */
export function viewOf(
  storage: StorageReference,
  dtype: DType,
  offsetValue: PickleValue | undefined,
  size: PickleValue | undefined,
  stride: PickleValue | undefined,
): TensorReference {
  const offset = whole(offsetValue, 'the offset of a tensor');
  const shape = wholes(size, 'the shape of a tensor');
  const strides = wholes(stride, 'the strides of a tensor');
  const count = countElements(shape);
  if (count === undefined || strides.length !== shape.length) {
    throw new Error(`a tensor of shape ${formatShape(shape)} and strides ${formatShape(strides)}`);
  }
  const last = shape.reduce(
    (sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0),
    offset,
  );
  if (count > 0 && (last + 1) * elementSize(dtype) > storage.byteCount) {
    throw new Error(
      `a tensor of shape ${formatShape(shape)} whose last element is number ${last} of a storage of ${storage.byteCount} bytes`,
    );
  }
  const begin = storage.begin / elementSize(dtype);
  if (!Number.isInteger(begin)) throw new Error('a tensor between the elements of its storage');
  return new TensorReference(storage, dtype, { offset: begin + offset, shape, strides });
}

/** (data, requires_grad, backward_hooks[, state]) */
function rebuildParameter(values: readonly PickleValue[], count: number): PickleValue {
  expectCount(values, count, count);
  const [data] = values;
  if (data instanceof TensorReference) return data;
  throw new Error(`a parameter made of ${describeValue(data)}`);
}

/** (function, type, its arguments, attributes): a tensor with Python attributes, which are dropped. */
function rebuildFromType(values: readonly PickleValue[]): PickleValue {
  expectCount(values, 4, 4);
  const [rebuild, type, rebuildValues] = values;
  if (
    rebuild instanceof PickleGlobal &&
    type instanceof PickleGlobal &&
    rebuildValues instanceof PickleTuple &&
    ['torch.Tensor', 'torch.nn.parameter.Parameter'].includes(type.name) &&
    rebuild.name.startsWith('torch._utils.')
  ) {
    return torchWorld.call(rebuild, rebuildValues.items);
  }
  throw new Error(`a tensor of ${describeValue(type)}`);
}

function expectCount(values: readonly PickleValue[], least: number, most: number): void {
  if (values.length < least || values.length > most) {
    throw new Error(`a call with ${values.length} arguments in place of ${least}`);
  }
}

/** An empty dictionary; `mostValues` arguments, such as a defaultdict's factory, are dropped. */
function newDictionary(values: readonly PickleValue[], mostValues: number): PickleValue {
  expectCount(values, 0, mostValues);
  return new PickleDictionary();
}

/** (items,): Python 2 pickled the pairs with the call; Python 3 sets them afterwards. */
function newOrderedDictionary(values: readonly PickleValue[]): PickleValue {
  expectCount(values, 0, 1);
  const [pairs = new PickleList()] = values;
  if (!(pairs instanceof PickleList)) {
    throw new Error(`an OrderedDict of ${describeValue(pairs)}`);
  }
  const dictionary = new PickleDictionary();
  for (const pair of pairs.items) {
    const items = pair instanceof PickleList || pair instanceof PickleTuple ? pair.items : [];
    const [key, value] = items;
    if (key === undefined || value === undefined || items.length !== 2) {
      throw new Error(`${describeValue(pair)} in place of a key and its value`);
    }
    dictionary.entries.set(key, value);
  }
  return dictionary;
}

/** (counts,): a Counter is pickled with its counts as a dict. */
function newCounter(values: readonly PickleValue[]): PickleValue {
  expectCount(values, 0, 1);
  const [counts = new PickleDictionary()] = values;
  if (counts instanceof PickleDictionary) return counts;
  throw new Error(`a Counter of ${describeValue(counts)}`);
}

/** (items,): a set is pickled with a list. */
function newSet(values: readonly PickleValue[]): PickleValue {
  expectCount(values, 0, 1);
  const [items] = values;
  const set = new PickleSet();
  if (items instanceof PickleList) for (const item of items.items) set.items.add(item);
  else if (items !== undefined) throw new Error(`a set of ${describeValue(items)}`);
  return set;
}

/** (sizes,) */
function newSize(values: readonly PickleValue[]): PickleValue {
  expectCount(values, 1, 1);
  return new PickleTuple(wholes(values[0], 'a torch.Size'));
}
