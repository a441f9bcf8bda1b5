/**
 * The state that a run resumes from: one file, complete or absent, so that the one before stays until
 * the new one is whole. Network, optimiser, random numbers and the best network so far are tensors in
 * it; the rest is JSON in its metadata.
 */
import { z } from 'zod';
import { evaluationSchema } from '../results/index.ts';
import { fromTypedArray, noGrad, ops, scope, Tensor } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { readWeights, type StoredTensor, writeSafetensors } from '../weights/index.ts';

const PREFIXES = { model: 'model.', optimiser: 'optimiser.', best: 'best.' } as const;
const RANDOM_STATE = 'random';

export const positionSchema = z.strictObject({
  format: z.literal(1),
  runId: z.string(),
  /** Steps done. */
  iteration: z.int(),
  epoch: z.int(),
  /** Batches of that epoch that were used. */
  batch: z.int(),
  /** Whether the step was done but not the evaluation that follows it. */
  evaluationDue: z.boolean(),
  /** Length of log.jsonl. */
  logBytes: z.int(),
  /** Losses of the steps since the last line of the log. */
  pendingLosses: z.array(z.number()),
  /** State of the learning rate schedule. */
  schedule: z.strictObject({
    learningRate: z.number(),
    best: z.number().nullable(),
    stalled: z.int(),
  }),
  best: z.strictObject({ iteration: z.int(), evaluation: evaluationSchema }).optional(),
  /** Why training ended, once it has. */
  ended: z.enum(['plateau', 'maxEpochs', 'maxIterations']).optional(),
  trainingSeconds: z.number(),
  wallSeconds: z.number(),
  /** Of validation and of saving, and of the processor in all threads; absent in states from before. */
  evaluationSeconds: z.number().optional(),
  savingSeconds: z.number().optional(),
  processorSeconds: z.number().optional(),
  images: z.int(),
  threads: z.int(),
});

/** Where a run stands, besides its tensors. */
export type Position = z.output<typeof positionSchema>;

export interface RunState {
  position: Position;
  model: Map<string, Tensor | StoredTensor>;
  optimiser: Map<string, Tensor | StoredTensor>;
  best: Map<string, Tensor | StoredTensor>;
  /** State of the device's default random number generator. */
  random: Uint8Array;
}

/** Writes the state, whole or not at all. */
export async function saveState(path: string, state: RunState): Promise<void> {
  const tensors = new Map<string, Tensor | StoredTensor>();
  for (const part of ['model', 'optimiser', 'best'] as const) {
    for (const [name, value] of state[part]) tensors.set(`${PREFIXES[part]}${name}`, value);
  }
  const bytes = state.random;
  tensors.set(RANDOM_STATE, { dtype: 'uint8', shape: [bytes.length], bytes });
  await writeSafetensors(path, tensors, { position: JSON.stringify(state.position) });
}

/**
 * Reads a state.
 * @throws WorkError for a file that is no state of a run.
 */
export async function loadState(path: string): Promise<RunState> {
  const file = await readWeights(path);
  const parts = {
    model: new Map(),
    optimiser: new Map(),
    best: new Map(),
  } as const satisfies Record<string, Map<string, StoredTensor>>;
  let random: Uint8Array | undefined;
  for (const [name, stored] of file.tensors) {
    if (name === RANDOM_STATE) random = stored.bytes;
    for (const part of ['model', 'optimiser', 'best'] as const) {
      const prefix = PREFIXES[part];
      if (name.startsWith(prefix)) parts[part].set(name.slice(prefix.length), stored);
    }
  }
  const position = parsePosition(file.metadata.position);
  if (!position || !random) {
    throw new WorkError({
      where: path,
      expected: 'the state of a run of this version of carryover',
      got: position ? 'no state of the random numbers' : 'no position that can be read',
      hint: 'remove the folder and start again',
    });
  }
  return { position, random, ...parts };
}

function parsePosition(text: string | undefined): Position | undefined {
  try {
    return positionSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

/**
 * Copies stored values into tensors of the same names, whatever their device and memory format.
 * @throws WorkError where names, types or shapes are not the same.
 */
export function restoreTensors(
  targets: ReadonlyMap<string, Tensor>,
  values: ReadonlyMap<string, Tensor | StoredTensor>,
  where: string,
): void {
  const different = [...targets.keys()].filter((name) => !values.has(name));
  const unknown = [...values.keys()].filter((name) => !targets.has(name));
  const wrong = different[0] ?? unknown[0];
  if (wrong !== undefined) {
    throw new WorkError({
      where,
      expected: `the tensors of this network and optimiser (${targets.size})`,
      got: `${values.size} tensors, of which "${wrong}" differs`,
      hint: 'remove the folder and start again',
    });
  }
  scope(() =>
    noGrad(() => {
      for (const [name, target] of targets) {
        const value = values.get(name);
        if (value) copyInto(target, value, `${where}: ${name}`);
      }
    }),
  );
}

/** Stored values as tensors of the caller's to dispose of, or the tensors themselves. */
export function asTensors(values: ReadonlyMap<string, Tensor | StoredTensor>): Map<string, Tensor> {
  return new Map([...values].map(([name, value]) => [name, asTensor(value)]));
}

function asTensor(value: Tensor | StoredTensor): Tensor {
  if (value instanceof Tensor) return value;
  return fromTypedArray(value.bytes, value.shape, { dtype: value.dtype });
}

function copyInto(target: Tensor, value: Tensor | StoredTensor, where: string): void {
  const source = asTensor(value);
  if (source.dtype !== target.dtype || source.shape.join() !== target.shape.join()) {
    throw new WorkError({
      where,
      expected: `${target.dtype} [${target.shape.join(', ')}]`,
      got: `${source.dtype} [${source.shape.join(', ')}]`,
      hint: 'remove the folder and start again',
    });
  }
  ops.copy_(target, source);
}
