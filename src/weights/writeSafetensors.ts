/** Writes `.safetensors` files, whole or not at all. */
import { Tensor } from '../tensor/index.ts';
import { explainWriteFailure, WorkError } from '../util/index.ts';
import { layOut } from './safetensorsLayout.ts';
import { countBytes, formatShape, type StoredTensor } from './stored.ts';
import { WholeFile } from './wholeFile.ts';

function checkTensor(path: string, name: string, tensor: Tensor | StoredTensor): void {
  const bytes = countBytes(tensor);
  const held = tensor instanceof Tensor ? tensor.byteCount : tensor.bytes.byteLength;
  if (name !== '' && name !== '__metadata__' && bytes === held) return;
  throw new WorkError({
    where: `${path}: tensor ${JSON.stringify(name)}`,
    expected: `a name, and ${bytes} bytes for ${tensor.dtype} ${formatShape(tensor.shape)}`,
    got: `${held} bytes`,
  });
}

/** A tensor's elements as dense bytes; those of a LibTorch tensor are copied out. */
function bytesOf(tensor: Tensor | StoredTensor): Uint8Array {
  if (!(tensor instanceof Tensor)) return tensor.bytes;
  const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
  return new Uint8Array(buffer, byteOffset, byteLength);
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
  for (const [name, tensor] of tensors) checkTensor(path, name, tensor);
  const { header, order } = layOut(path, tensors, metadata);
  const file = await WholeFile.create(path);
  try {
    await file.write(header);
    for (const name of order) {
      const tensor = tensors.get(name);
      if (tensor) await file.write(bytesOf(tensor));
    }
    await file.commit();
  } catch (error) {
    await file.abandon();
    throw explainWriteFailure(path, error);
  }
}
