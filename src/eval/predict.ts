/** Runs a network over a split in inference mode. */
import type { Loader } from '../data/index.ts';
import type { ImageModel } from '../models/index.ts';
import { ops, scope, type Tensor } from '../tensor/index.ts';
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
  const logits: Tensor[] = [];
  const labels: Tensor[] = [];
  const indices: number[] = [];
  let outputs = 0;
  try {
    await passOver(
      model,
      loader,
      options,
      (images) => model.forward(images),
      (result, batch) => {
        outputs = result.shape[1] ?? 0;
        // They stay where they are until the end: to read them here would wait for the device in every batch.
        logits.push(result);
        labels.push(batch.labels.detach());
        indices.push(...batch.indices);
      },
    );
    return finite({
      logits: Float32Array.from(valuesOf(logits)),
      outputs,
      labels: Float64Array.from(valuesOf(labels)),
      indices,
    });
  } finally {
    for (const tensor of [...logits, ...labels]) tensor.dispose();
  }
}

/** The elements of tensors that differ in their first dimension alone, one after another. */
function valuesOf(parts: readonly Tensor[]): number[] {
  return parts.length === 0 ? [] : scope(() => ops.cat(parts, 0).toArray());
}

/** @throws WorkError that names the first sample whose logits are not finite. */
function finite(predictions: Predictions): Predictions {
  const { logits, outputs, indices } = predictions;
  const bad = logits.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return predictions;
  throw new WorkError({
    where: `prediction of sample ${indices[Math.floor(bad / outputs)]}`,
    expected: 'finite logits',
    got: String(logits[bad]),
    hint: 'the network has diverged: lower the learning rate or use precision fp32',
  });
}
