/**
 * Reads PyTorch checkpoints in the zip format (`torch.save` since PyTorch 1.6): a pickle that describes
 * the tensors, and one record of raw bytes for each storage.
 */
import { elementSize } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { conversionLines, explainRefusal } from './conversion.ts';
import { readPickle } from './pickle.ts';
import { describeValue, PickleDictionary, type PickleValue } from './pickleValues.ts';
import type { RegularFile } from './regularFile.ts';
import { countBytes, type OpenedWeights } from './stored.ts';
import { gatherStrided, isDense } from './strided.ts';
import { RefusedGlobalError, TensorReference, torchWorld } from './torchObjects.ts';
import { ZipArchive } from './zipArchive.ts';

/** A pickle describes tensors in some hundred bytes each; this is room for fifty thousand. */
const largestPickle = 2 ** 24;

/** Copies of strided views may take this much above twice the file, which no real checkpoint needs. */
const copyAllowance = 2 ** 26;

/**
 * Keys under which training scripts keep a model's weights, in order of preference: timm and Lightning,
 * DeiT and Swin, PyTorch's tutorials, and the moving average that DeiT and timm save besides.
 */
const wrappers = ['state_dict', 'model', 'model_state_dict', 'model_ema', 'state_dict_ema'];

type Fail = (expected: string, got: string, hint?: string) => WorkError;

/** The folder of the archive that holds `data.pkl`: all records lie below one folder. */
function findPrefix(archive: ZipArchive, path: string, fail: Fail): string {
  const names = archive.names;
  const pickle = names.find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) {
    const shown = names.slice(0, 3).join(', ').slice(0, 160);
    throw fail(
      'a PyTorch checkpoint (a zip archive with data.pkl)',
      names.length === 0 ? 'an empty zip archive' : `a zip archive of other things (${shown})`,
    );
  }
  const prefix = pickle.slice(0, -'data.pkl'.length);
  if (names.includes(`${prefix}constants.pkl`)) {
    const lines = conversionLines(path, { load: 'torch.jit.load', part: '.state_dict()' });
    throw fail('a checkpoint of weights', 'a TorchScript program', `save its weights: ${lines}`);
  }
  return prefix;
}

async function checkByteOrder(archive: ZipArchive, prefix: string, fail: Fail): Promise<void> {
  const name = `${prefix}byteorder`;
  const size = archive.sizeOf(name);
  if (size === undefined) return;
  const order = size > 16 ? '' : Buffer.from(await archive.read(name)).toString('latin1');
  if (order.trim() !== 'little') throw fail('little-endian tensors', `byte order "${order}"`);
}

async function readRoot(
  archive: ZipArchive,
  prefix: string,
  path: string,
  fail: Fail,
): Promise<PickleValue> {
  const name = `${prefix}data.pkl`;
  const size = archive.sizeOf(name) ?? 0;
  if (size > largestPickle) {
    throw fail(`a data.pkl of at most ${largestPickle} bytes`, `${size}`);
  }
  const bytes = await archive.read(name);
  try {
    return readPickle(bytes, torchWorld);
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    const hint =
      error instanceof RefusedGlobalError
        ? explainRefusal(path, error.globalName)
        : 'the file is damaged or was made by no torch.save';
    throw fail('tensors and plain containers only', got, hint);
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

/** Checks every tensor's storage against the archive, and that strided views cannot fill the memory. */
function checkStorages(
  tensors: Map<string, TensorReference>,
  recordSize: (key: string) => number | undefined,
  fileSize: number,
  fail: Fail,
): void {
  let copied = 0;
  for (const [name, tensor] of tensors) {
    const { key, byteCount } = tensor.storage;
    const size = recordSize(key);
    if (size !== byteCount) {
      throw fail(
        `${byteCount} bytes of data for ${JSON.stringify(name.slice(0, 120))}`,
        size === undefined ? `no record data/${key.slice(0, 40)}` : `${size}`,
        'the file is damaged: copy or download it again',
      );
    }
    if (!isDense(tensor)) copied += countBytes(tensor) ?? Number.POSITIVE_INFINITY;
    if (copied > 2 * fileSize + copyAllowance) {
      throw fail(
        `tensors that fit into about the file's ${fileSize} bytes`,
        `${JSON.stringify(name.slice(0, 120))} of shape [${tensor.shape.join(', ')}], expanded from ${byteCount} bytes`,
        'save contiguous tensors',
      );
    }
  }
}

/**
 * Reads and checks the description of the tensors; their storages are read when asked for.
 * @throws WorkError
 */
export async function openPth(file: RegularFile): Promise<OpenedWeights & { close(): void }> {
  const fail: Fail = (expected, got, hint) =>
    new WorkError({ where: file.path, expected, got, hint });
  const archive = await ZipArchive.open(file);
  try {
    const prefix = findPrefix(archive, file.path, fail);
    await checkByteOrder(archive, prefix, fail);
    const root = await readRoot(archive, prefix, file.path, fail);
    const { tensors, metadata } = findWeights(root, fail);
    checkStorages(tensors, (key) => archive.sizeOf(`${prefix}data/${key}`), file.size, fail);
    const read = storageReader(archive, `${prefix}data/`, tensors);
    return {
      path: file.path,
      format: 'pth',
      tensors,
      metadata,
      read,
      close: () => archive.close(),
    };
  } catch (error) {
    archive.close();
    throw error;
  }
}

/** Reads tensors; a storage that several tensors share is read once. */
function storageReader(
  archive: ZipArchive,
  folder: string,
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
    const bytes = held.get(key) ?? (await archive.read(`${folder}${key}`));
    if ((users.get(key) ?? 0) > 1) held.set(key, bytes);
    if (!isDense(tensor)) return gatherStrided(bytes, tensor);
    const start = tensor.offset * elementSize(tensor.dtype);
    return bytes.subarray(start, start + (countBytes(tensor) ?? 0));
  };
}
