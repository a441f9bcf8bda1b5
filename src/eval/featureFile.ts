/** Features on disk: a `.safetensors` file of one matrix a tap, written as the images pass by. */
import type { Loader } from '../data/index.ts';
import type { EmbeddingKind, ImageModel } from '../models/index.ts';
import { ops, scope, type Tensor } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { SafetensorsRows } from '../weights/index.ts';
import { extractFeatures, type FeatureBatch } from './features.ts';
import type { PassOptions } from './pass.ts';

export interface FeatureFileOptions extends PassOptions {
  /** Where the file is written, whole or not at all. */
  path: string;
  taps: readonly string[];
  embedding?: EmbeddingKind;
  logits?: boolean;
  /** Text that goes with the tensors. */
  metadata: Readonly<Record<string, string>>;
  /** The name of an image, for errors. @param index its position in the data set. */
  nameOf: (index: number) => string;
}

/** A tensor of the file, without its rows. */
export interface FeatureColumns {
  /** `tap/<name>`, or `logits`. */
  name: string;
  /** Features of an image, D or K. */
  features: number;
}

/**
 * Writes `tap/<name>` [N, D] for every tap and, if asked for, `logits` [N, K], float32, one row an image
 * in the loader's order. Memory does not grow with N.
 * @throws WorkError for features that are no finite numbers, which names tap and image, and for a full
 *   disk; PredictionStopped. No file is left then, and one that was there stays.
 */
export async function writeFeatures(
  model: ImageModel,
  loader: Pick<Loader, 'epoch' | 'indices'>,
  options: FeatureFileOptions,
): Promise<FeatureColumns[]> {
  const { path, metadata, nameOf, ...request } = options;
  const file = await SafetensorsRows.create(path, loader.indices.length);
  let columns: FeatureColumns[] | undefined;
  try {
    await extractFeatures(model, loader, {
      ...request,
      onBatch: async (batch) => {
        const tensors = tensorsOf(batch);
        if (!columns) {
          columns = [...tensors].map(([name, { shape }]) => ({ name, features: shape[1] ?? 0 }));
          await file.describe(
            new Map(columns.map(({ name, features }) => [name, features])),
            metadata,
          );
        }
        const values = copyOut(tensors);
        const { indices } = batch;
        for (const [name, rows] of values) requireFinite(name, rows, indices, nameOf);
        await file.append(indices.length, values);
      },
    });
    await file.commit();
  } catch (error) {
    await file.abandon();
    throw error;
  }
  return columns ?? [];
}

function tensorsOf({ embeddings, logits }: FeatureBatch): Map<string, Tensor> {
  const tensors = new Map([...embeddings].map(([tap, value]) => [`tap/${tap}`, value]));
  return logits ? tensors.set('logits', logits) : tensors;
}

/** The values of all tensors, row by row, by one copy from the device. */
function copyOut(tensors: ReadonlyMap<string, Tensor>): Map<string, Float32Array> {
  const all = scope(() => {
    const flat = [...tensors.values()].map((tensor) => ops.reshape(tensor, [-1]));
    return ops.cat(flat, 0).toTypedArray();
  });
  if (!(all instanceof Float32Array)) throw new Error('features that are not float32');
  const values = new Map<string, Float32Array>();
  let offset = 0;
  for (const [name, { elementCount }] of tensors) {
    values.set(name, all.subarray(offset, offset + elementCount));
    offset += elementCount;
  }
  return values;
}

/** @throws WorkError that names what is not finite, and the image. */
function requireFinite(
  name: string,
  values: Float32Array,
  indices: readonly number[],
  nameOf: (index: number) => string,
): void {
  // The sum of finite numbers may overflow, one with NaN or infinity is never finite.
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] as number;
  if (Number.isFinite(sum)) return;
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const row = Math.floor((bad * indices.length) / values.length);
  throw new WorkError({
    where: `${name} of ${nameOf(indices[row] ?? -1)}`,
    expected: 'finite features',
    got: String(values[bad]),
    hint: 'the network has diverged, or the precision is too low: use --precision fp32',
  });
}
