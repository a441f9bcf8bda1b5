/**
 * The one pass that all measures share: every batch of a split goes once through every network that
 * somebody reads, and everybody sees it there.
 */
import type { Loader } from '../data/index.ts';
import type { ImageModel } from '../models/index.ts';
import {
  autocast,
  inferenceMode,
  ops,
  returnFreedMemory,
  scope,
  type Tensor,
} from '../tensor/index.ts';
import type { BatchView, Reader, Work } from './measure.ts';
import type { NetworkKey } from './subject.ts';

/** Images that a network computes at once, up to 158 px: a part of larger ones has no more pixels. */
const LARGEST_PART = 32;
const PIXELS_OF_PART = 16 * 224 ** 2;

export interface PassSettings {
  device: string;
  precision: 'fp32' | 'bf16';
  network: (key: NetworkKey) => ImageModel;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** Runs all batches of one split through the networks that are read there. */
export async function sharedPass(
  loader: Pick<Loader, 'epoch' | 'indices'>,
  split: BatchView['split'],
  works: readonly Work[],
  settings: PassSettings,
): Promise<void> {
  const readers = works.flatMap((work) => work.readers.filter((one) => one.split === split));
  const keys = [...new Set(readers.map(({ network }) => network))];
  let done = 0;
  for await (const batch of loader.epoch(0)) {
    try {
      const view: BatchView = { split, indices: batch.indices, labels: batch.labels };
      const { device } = settings;
      const images = batch.images.device === device ? batch.images : batch.images.to({ device });
      for (const key of keys) {
        const own = readers.filter(({ network }) => network === key);
        readBatch(settings.network(key), images, own, view, settings);
        // Activations of a whole batch at every layer leave holes that the next batch does not fit into.
        returnFreedMemory();
      }
      if (images !== batch.images) images.dispose();
      for (const work of works) {
        if (work.readers.some((reader) => reader.split === split)) work.batchDone?.(view);
      }
    } finally {
      batch.dispose();
    }
    done += batch.indices.length;
    settings.onProgress?.(done, loader.indices.length);
    settings.signal?.throwIfAborted();
  }
}

function readBatch(
  model: ImageModel,
  images: Tensor,
  readers: readonly Reader[],
  view: BatchView,
  { device, precision }: PassSettings,
): void {
  for (const reader of readers) reader.images?.(model, images, view);
  if (!readers.some(({ tap, attention }) => tap || attention)) return;
  scope(() =>
    inferenceMode(() =>
      observeInParts(model, images, (run) =>
        autocast({ device, dtype: 'bfloat16', enabled: precision === 'bf16' }, run),
      )((name, taps, attention) => {
        for (const reader of readers) {
          if (taps.length > 0) scope(() => reader.tap?.(name, taps, view));
          if (attention.length > 0) scope(() => reader.attention?.(name, attention, view));
        }
      }),
    ),
  );
}

type Visitor = (name: string, taps: readonly Tensor[], attention: readonly Tensor[]) => void;

/**
 * Runs a batch through the segments up to the last tap, each segment part by part, so that what a
 * segment needs besides its input and output is that of one part. In evaluation mode images do not
 * depend on each other, and the parts together are the batch.
 */
export function observeInParts(
  model: ImageModel,
  images: Tensor,
  under: (body: () => void) => void,
): (visit: Visitor) => void {
  return (visit) => {
    const lastTap = model.taps.at(-1)?.name;
    let states = partsOf(images);
    for (const { name, run } of model.segments) {
      const before = states;
      const after: Tensor[] = [];
      const taps: Tensor[] = [];
      const attention: Tensor[] = [];
      under(() => {
        for (const state of before) {
          const result = scope(() => run(state, false));
          after.push(result.state);
          if (result.tap) taps.push(result.tap);
          if (result.attention) attention.push(result.attention);
          // At once: the next part's output fits where this one's input was.
          if (result.state !== state && result.tap !== state) state.dispose();
        }
      });
      visit(name, taps, attention);
      for (const tap of taps) if (!after.includes(tap)) tap.dispose();
      for (const weights of attention) weights.dispose();
      states = after;
      if (name === lastTap) break;
    }
  };
}

/** The batch [B, C, H, W] in handles of its own, a part each. The taps of the parts together are the batch's. */
function partsOf(images: Tensor): Tensor[] {
  const [samples = 0, , height = 1, width = 1] = images.shape;
  const affordable = Math.max(1, Math.floor(PIXELS_OF_PART / (height * width)));
  const size = Math.min(LARGEST_PART, affordable);
  const parts: Tensor[] = [];
  for (let start = 0; start < samples; start += size) {
    parts.push(ops.narrow(images, 0, start, Math.min(size, samples - start)));
  }
  return parts;
}
