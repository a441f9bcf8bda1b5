/** The features of images at a network's taps, all taps from one pass. */
import type { Loader } from '../data/index.ts';
import type { EmbeddingKind, ImageModel, Observer } from '../models/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { nearestNames, RequestError } from '../util/index.ts';
import { type PassOptions, passOver } from './pass.ts';

/** What one batch shows. Tensors and the batch's labels are freed once the receiver is done with it. */
export interface FeatureBatch {
  /** [B] positions in the data set. */
  indices: readonly number[];
  /** As in the loader's batch: [B] int64, or [B, K] float32 of a multi-label task. */
  labels: Tensor;
  /** By tap, in the network's order: [B, D] float32 on the network's device. */
  embeddings: ReadonlyMap<string, Tensor>;
  /** [B, K] float32, if asked for. */
  logits?: Tensor;
}

export interface FeatureOptions extends PassOptions {
  /** The taps to read embeddings at, by name (see `chooseTaps`). */
  taps: readonly string[];
  /**
   * The kind of embedding where a tap has several (behind a class token); by default `both`. Taps that
   * have one kind give that.
   */
  embedding?: EmbeddingKind;
  /** Whether the head's output is wanted; default false. */
  logits?: boolean;
  /**
   * Sees every tap's own value during the pass, [B, C, H, W] or [B, T, D] in the precision of the pass,
   * without a copy (see `Observer`): for what embeddings do not hold, such as Gram matrices.
   */
  observe?: Observer;
  onBatch: (batch: FeatureBatch) => void | Promise<void>;
}

/**
 * One pass over the loader's images, batch by batch: memory does not grow with their number. Where
 * nothing behind some tap is asked for, the network is run no further than that.
 * @throws PredictionStopped; RequestError for an unknown tap.
 */
export async function extractFeatures(
  model: ImageModel,
  loader: Pick<Loader, 'epoch'>,
  { taps, embedding, logits = false, observe, onBatch, ...options }: FeatureOptions,
): Promise<void> {
  const wanted = new Set(chooseTaps(model, taps));
  const kinds = new Map([...wanted].map((tap) => [tap, embeddingKind(model, tap, embedding)]));
  const until = logits || observe ? undefined : segmentAfter(model, [...wanted].at(-1));
  const isWatched = wanted.size > 0 || observe !== undefined;
  await passOver(
    model,
    loader,
    options,
    (images) => {
      const embeddings = new Map<string, Tensor>();
      const watch: Observer = (name, value) => {
        observe?.(name, value);
        if (!wanted.has(name)) return;
        embeddings.set(name, asFloat32(model.embedding(name, value, kinds.get(name))));
      };
      const watcher = isWatched ? watch : undefined;
      const result = until
        ? model.run(images, { observe: watcher, until })
        : model.forward(images, watcher);
      return { embeddings, logits: logits ? asFloat32(result) : undefined };
    },
    async (result, { indices, labels }) => {
      try {
        await onBatch({ indices, labels, ...result });
      } finally {
        for (const tensor of result.embeddings.values()) tensor.dispose();
        result.logits?.dispose();
      }
    },
  );
}

/**
 * Tap names in the network's order, each once.
 * @throws RequestError for an unknown one, with the nearest.
 */
export function chooseTaps(model: ImageModel, names: readonly string[]): string[] {
  const known = model.taps.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return known.filter((name) => names.includes(name));
  const near = nearestNames(unknown, known);
  throw new RequestError({
    where: `taps of ${model.id}`,
    expected: `all, none, or names among ${known.join(', ')}`,
    got: `"${unknown}"`,
    hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : undefined,
  });
}

/** The kind asked for where the tap has it, else the tap's own. */
export function embeddingKind(
  model: ImageModel,
  tap: string,
  wanted: EmbeddingKind | undefined,
): EmbeddingKind {
  const kinds = model.embeddingKinds(tap);
  const [own = 'spatial'] = kinds;
  return wanted !== undefined && kinds.includes(wanted) ? wanted : own;
}

/** The segment behind that of a tap; the head for none, whose result nobody looks at then. */
function segmentAfter({ segments }: ImageModel, tap: string | undefined): string | undefined {
  if (tap === undefined) return undefined;
  return segments[segments.findIndex(({ name }) => name === tap) + 1]?.name;
}

function asFloat32(tensor: Tensor): Tensor {
  return tensor.dtype === 'float32' ? tensor : tensor.to({ dtype: 'float32' });
}
