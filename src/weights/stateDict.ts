/**
 * What the containers of PyTorch checkpoints have in common: a pickle that describes tensors, and records
 * of raw bytes that hold their elements.
 */
import { elementSize } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { explainRefusal } from './conversion.ts';
import { describeValue, PickleDictionary, type PickleValue } from './pickleValues.ts';
import type { RegularFile } from './regularFile.ts';
import { countBytes, type OpenedWeights, quotable } from './stored.ts';
import { gatherStrided, isDense } from './strided.ts';
import { RefusedGlobalError, TensorReference } from './torchObjects.ts';

/** A pickle describes tensors in some hundred bytes each; this is room for fifty thousand. */
export const largestPickle = 2 ** 24;

/** A checkpoint of a large network with its optimiser has some thousands. */
export const mostRecords = 10_000;

export const damaged = 'the file is truncated or damaged: copy or download it again';

/** Copies of strided views may take this much above twice the file, which no real checkpoint needs. */
const copyAllowance = 2 ** 26;

/**
 * Keys under which training scripts keep a model's weights, in order of preference: timm and Lightning,
 * DeiT and Swin, PyTorch's tutorials, and the moving average that DeiT and timm save besides.
 */
const wrappers = ['state_dict', 'model', 'model_state_dict', 'model_ema', 'state_dict_ema'];

export type Fail = (expected: string, got: string, hint?: string) => WorkError;

/** Errors about one file. */
export function failureOf(path: string): Fail {
  return (expected, got, hint) =>
    new WorkError({ where: path, expected: quotable(expected), got: quotable(got), hint });
}

/** The bytes of the tensors' storages, by key. */
export interface Records {
  sizeOf(key: string): number | undefined;
  read(key: string): Promise<Uint8Array>;
}

/** Runs `read`, which reads pickles, and turns what it throws into an error about the file. */
export function explainPickle<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WorkError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    const hint =
      error instanceof RefusedGlobalError
        ? explainRefusal(path, error.globalName)
        : 'the file is damaged or was made by no torch.save';
    throw failureOf(path)('tensors and plain containers only', got, hint);
  }
}

/** The tensors of a dictionary by name, or what stands in the way. */
function asTensors(value: PickleValue): Map<string, TensorReference> | string {
  if (!(value instanceof PickleDictionary)) return describeValue(value);
  const tensors = new Map<string, TensorReference>();
  for (const [name, entry] of value.entries) {
    if (typeof name !== 'string') return `a dict with the key ${describeValue(name)}`;
    if (!(entry instanceof TensorReference)) {
      return `${describeValue(entry)} under ${describeValue(name)}`;
    }
    tensors.set(name, entry);
  }
  return tensors.size > 0 ? tensors : 'an empty dict';
}

/** The weights in what was pickled: the value itself, or what it keeps under one of `wrappers`. */
function findWeights(
  root: PickleValue,
  fail: Fail,
): { tensors: Map<string, TensorReference>; metadata: Record<string, string> } {
  const direct = asTensors(root);
  if (typeof direct !== 'string') return { tensors: direct, metadata: {} };
  const entries =
    root instanceof PickleDictionary ? root.entries : new Map<PickleValue, PickleValue>();
  const wrapper = wrappers.find((name) => entries.get(name) instanceof PickleDictionary);
  if (wrapper === undefined) {
    const keys = [...entries.keys()].slice(0, 8).map(describeValue).join(', ');
    throw fail(
      `names with tensors, or a dict that holds them under ${wrappers.join(', ')}`,
      keys ? `a dict of ${keys}` : direct,
      'save model.state_dict() alone',
    );
  }
  const tensors = asTensors(entries.get(wrapper) ?? null);
  if (typeof tensors === 'string') throw fail(`tensors alone under "${wrapper}"`, tensors);
  return { tensors, metadata: { wrapper } };
}

/** Checks every tensor's storage against the records, and that strided views cannot fill the memory. */
function checkStorages(
  tensors: Map<string, TensorReference>,
  records: Records,
  fileSize: number,
  fail: Fail,
): void {
  let copied = 0;
  for (const [name, tensor] of tensors) {
    const { key, recordBytes } = tensor.storage;
    const size = records.sizeOf(key);
    if (size !== recordBytes) {
      throw fail(
        `${recordBytes} bytes of data for ${JSON.stringify(name.slice(0, 120))}`,
        size === undefined ? `no record data/${key.slice(0, 40)}` : `${size}`,
        'the file is damaged: copy or download it again',
      );
    }
    if (!isDense(tensor)) copied += countBytes(tensor) ?? Number.POSITIVE_INFINITY;
    if (copied > 2 * fileSize + copyAllowance) {
      throw fail(
        `tensors that fit into about the file's ${fileSize} bytes`,
        `${JSON.stringify(name.slice(0, 120))} of shape [${tensor.shape.join(', ')}], expanded from ${recordBytes} bytes`,
        'save contiguous tensors',
      );
    }
  }
}

/**
 * The checkpoint whose pickle gave `root`, its storages checked and still on disk.
 * @throws WorkError
 */
export function openStateDict(
  file: RegularFile,
  root: PickleValue,
  records: Records,
  details: Record<string, string> = {},
): OpenedWeights {
  const fail = failureOf(file.path);
  const { tensors, metadata } = findWeights(root, fail);
  checkStorages(tensors, records, file.size, fail);
  return {
    path: file.path,
    format: 'pth',
    tensors,
    metadata: { ...metadata, ...details },
    read: storageReader(records, tensors),
  };
}

/** Reads tensors; a storage that several tensors share is read once. */
function storageReader(
  records: Records,
  tensors: Map<string, TensorReference>,
): (name: string) => Promise<Uint8Array | undefined> {
  const users = new Map<string, number>();
  for (const { storage } of tensors.values()) {
    users.set(storage.key, (users.get(storage.key) ?? 0) + 1);
  }
  const held = new Map<string, Uint8Array>();
  return async (name) => {
    const tensor = tensors.get(name);
    if (!tensor) return undefined;
    const { key } = tensor.storage;
    const bytes = held.get(key) ?? (await records.read(key));
    if ((users.get(key) ?? 0) > 1) held.set(key, bytes);
    if (!isDense(tensor)) return gatherStrided(bytes, tensor);
    const start = tensor.offset * elementSize(tensor.dtype);
    return bytes.subarray(start, start + (countBytes(tensor) ?? 0));
  };
}
