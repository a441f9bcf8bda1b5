/** Reads checkpoints of any supported format. */
import { detectLayout, leadingBytes } from './detect.ts';
import { openLegacyPth } from './legacyPth.ts';
import { openPth } from './pth.ts';
import { RegularFile } from './regularFile.ts';
import { openSafetensors } from './safetensors.ts';
import type { OpenedWeights, StoredTensor, WeightFile, WeightListing } from './stored.ts';
import { openTarPth } from './tarPth.ts';

/** Opens and checks a checkpoint, lets `body` use it, and closes it. */
async function withWeights<T>(
  path: string,
  body: (weights: OpenedWeights) => Promise<T>,
): Promise<T> {
  const file = await RegularFile.open(path);
  try {
    const head = await file.read(0, Math.min(file.size, leadingBytes));
    const layout = detectLayout(path, head, file.size);
    if (layout === 'safetensors') return await body(await openSafetensors(file));
    if (layout === 'legacy') return await body(await openLegacyPth(file));
    if (layout === 'tar') return await body(await openTarPth(file));
    const opened = await openPth(file);
    try {
      return await body(opened);
    } finally {
      opened.close();
    }
  } finally {
    await file.close();
  }
}

/**
 * Names, types and shapes of a checkpoint's tensors, without their values. The format is told by the
 * file's contents, not by its name.
 * @throws RequestError for a path that names no readable file, WorkError for a file that is damaged, of
 * another kind, or refers to code.
 */
export async function listWeights(path: string): Promise<WeightListing> {
  return withWeights(path, async ({ format, tensors, metadata }) => ({
    path,
    format,
    metadata,
    tensors: new Map([...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
  }));
}

/**
 * Reads a checkpoint whole: `.safetensors`, or PyTorch's, of any version, plain or wrapped (`{"model": …}`).
 * Checksums are verified where the format has them.
 * @throws as `listWeights`
 */
export async function readWeights(path: string): Promise<WeightFile> {
  return withWeights(path, async ({ format, tensors: described, metadata, read }) => {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, { dtype, shape }] of described) {
      const bytes = await read(name);
      if (bytes) tensors.set(name, { dtype, shape, bytes });
    }
    return { path, format, tensors, metadata };
  });
}
