/** One pass of a network over images: evaluation mode, inference mode, the precision asked for. */
import type { Batch, Loader } from '../data/index.ts';
import type { ImageModel } from '../models/index.ts';
import { autocast, type Device, inferenceMode, scope, type Tensor } from '../tensor/index.ts';

export interface PassOptions {
  device: Device;
  precision: 'fp32' | 'bf16';
  /** Called after each batch with the samples done so far. */
  onProgress?: (done: number) => void;
  /** Asked between batches; a true answer ends the pass early with {@link PredictionStopped}. */
  stopRequested?: () => boolean;
}

/** A pass over a split was given up because a stop was asked for. */
export class PredictionStopped extends Error {}

/**
 * Runs `step` on every batch of the loader, in its order, with the model in evaluation mode (its mode is
 * put back afterwards), and hands what it returns to `use`.
 *
 * @param step runs in a memory scope, without gradients and under the pass's precision; what it returns
 *   survives it and is its receiver's to dispose of.
 * @param use may be asynchronous; the batch, its labels among it, is freed after it.
 * @throws PredictionStopped
 */
export async function passOver<T>(
  model: ImageModel,
  loader: Pick<Loader, 'epoch'>,
  { device, precision, onProgress, stopRequested }: PassOptions,
  step: (images: Tensor) => T,
  use: (result: T, batch: Batch) => void | Promise<void>,
): Promise<void> {
  const wasTraining = model.training;
  let done = 0;
  model.eval();
  try {
    for await (const batch of loader.epoch(0)) {
      try {
        const { images } = batch;
        const result = scope(() =>
          inferenceMode(() => {
            const input = images.device === device ? images : images.to({ device });
            const enabled = precision === 'bf16';
            return autocast({ device, dtype: 'bfloat16', enabled }, () => step(input));
          }),
        );
        await use(result, batch);
      } finally {
        batch.dispose();
      }
      done += batch.indices.length;
      onProgress?.(done);
      if (stopRequested?.()) throw new PredictionStopped();
    }
  } finally {
    model.train(wasTraining);
  }
}
