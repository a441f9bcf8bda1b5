/**
 * Reads PyTorch checkpoints in the zip format (`torch.save` since PyTorch 1.6): a pickle that describes
 * the tensors, and one record of raw bytes for each storage.
 */
import { conversionLines } from './conversion.ts';
import { readPickle } from './pickle.ts';
import type { PickleValue } from './pickleValues.ts';
import type { RegularFile } from './regularFile.ts';
import { explainPickle, type Fail, failureOf, largestPickle, openStateDict } from './stateDict.ts';
import type { OpenedWeights } from './stored.ts';
import { torchWorld } from './torchObjects.ts';
import { ZipArchive } from './zipArchive.ts';

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
  return explainPickle(path, () => readPickle(bytes, torchWorld));
}

/**
 * Reads and checks the description of the tensors; their storages are read when asked for.
 * @throws WorkError
 */
export async function openPth(file: RegularFile): Promise<OpenedWeights & { close(): void }> {
  const fail = failureOf(file.path);
  const archive = await ZipArchive.open(file);
  try {
    const prefix = findPrefix(archive, file.path, fail);
    await checkByteOrder(archive, prefix, fail);
    const root = await readRoot(archive, prefix, file.path, fail);
    const opened = openStateDict(file, root, {
      sizeOf: (key) => archive.sizeOf(`${prefix}data/${key}`),
      read: (key) => archive.read(`${prefix}data/${key}`),
    });
    return { ...opened, close: () => archive.close() };
  } catch (error) {
    archive.close();
    throw error;
  }
}
