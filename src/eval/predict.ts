/** Runs a network over a split in inference mode. */
import type { Loader } from '../data/index.ts';
import type { ImageModel } from '../models/index.ts';
import { WorkError } from '../util/index.ts';
import { type PassOptions, passOver } from './pass.ts';
import type { Predictions } from './predictions.ts';

/**
 * Logits of every sample of the loader's split, in the loader's order, with the model in evaluation
 * mode (its mode is put back afterwards).
 * @throws WorkError when the network answers with numbers that are not finite.
 */
export async function predict(
  model: ImageModel,
  loader: Pick<Loader, 'epoch'>,
  options: PassOptions,
): Promise<Predictions> {
  const logits: Float32Array[] = [];
  const labels: number[] = [];
  const indices: number[] = [];
  let outputs = 0;
  await passOver(
    model,
    loader,
    options,
    (images) => {
      const output = model.forward(images);
      return { values: Float32Array.from(output.toArray()), outputs: output.shape[1] ?? 0 };
    },
    (result, batch) => {
      outputs = result.outputs;
      logits.push(result.values);
      labels.push(...batch.labels.toArray());
      indices.push(...batch.indices);
    },
  );
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

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
