/** Runs a network over a split in inference mode. */
import type { Loader } from '../data/index.ts';
import type { ImageModel } from '../models/index.ts';
import { autocast, type Device, inferenceMode, scope, type Tensor } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import type { Predictions } from './predictions.ts';

export interface PredictOptions {
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
 * Logits of every sample of the loader's split, in the loader's order, with the model in evaluation
 * mode (its mode is put back afterwards).
 * @throws WorkError when the network answers with numbers that are not finite.
 */
export async function predict(
  model: ImageModel,
  loader: Pick<Loader, 'epoch'>,
  { device, precision, onProgress, stopRequested }: PredictOptions,
): Promise<Predictions> {
  const wasTraining = model.training;
  const logits: Float32Array[] = [];
  const labels: number[] = [];
  const indices: number[] = [];
  let outputs = 0;
  model.eval();
  try {
    for await (const batch of loader.epoch(0)) {
      try {
        const result = scope(() => forward(model, batch.images, device, precision));
        outputs = result.outputs;
        logits.push(result.values);
        labels.push(...batch.labels.toArray());
        indices.push(...batch.indices);
      } finally {
        batch.dispose();
      }
      onProgress?.(indices.length);
      if (stopRequested?.()) throw new PredictionStopped();
    }
  } finally {
    model.train(wasTraining);
  }
  const all = concatenate(logits);
  const bad = all.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new WorkError({
      where: `prediction of sample ${indices[Math.floor(bad / outputs)]}`,
      expected: 'finite logits',
      got: String(all[bad]),
      hint: 'the network has diverged: lower the learning rate or use precision fp32',
    });
  }
  return { logits: all, outputs, labels: Float64Array.from(labels), indices };
}

/** [B, outputs] logits of one batch, copied out as float32. */
function forward(
  model: ImageModel,
  images: Tensor,
  device: Device,
  precision: 'fp32' | 'bf16',
): { values: Float32Array; outputs: number } {
  return inferenceMode(() => {
    const input = images.device === device ? images : images.to({ device });
    const enabled = precision === 'bf16';
    const output = autocast({ device, dtype: 'bfloat16', enabled }, () => model.forward(input));
    const values = Float32Array.from(output.toArray());
    return { values, outputs: output.shape[1] ?? 0 };
  });
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
