/**
 * Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), each step in one pass over memory: on the CPU
 * with a kernel of our own, on a GPU with LibTorch's fused one. Where either is missing, with the foreach kernels,
 * in the order of operations of `torch.optim.Adam(foreach=True)`.
 */
import {
  clearGradients,
  fromTypedArray,
  fusedAdam,
  gradientsOf,
  hasProcessorAdam,
  keep,
  noGrad,
  ops,
  processorAdam,
  scope,
  type Tensor,
  tensor,
} from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { clipFactor, clipToNorm, multiplyAll } from './clipping.ts';

/** Parameters that share their settings. */
export interface ParameterGroup {
  /** Trainable tensors by their dotted name, which names their state. */
  parameters: ReadonlyMap<string, Tensor>;
  weightDecay: number;
  /** This group's own rate, in place of the optimiser's. */
  learningRate?: number;
}

export interface OptimiserOptions {
  groups: readonly ParameterGroup[];
  learningRate: number;
  /** Decay rates of the running means of the gradient and of its square. */
  betas?: readonly [number, number];
  /** Added to the root of the second moment. */
  epsilon?: number;
  /** Largest Euclidean norm of all gradients together; not clipped unless given. */
  clip?: number;
  /** By default `onePass` on the CPU and `fused` on GPUs; either where it is there. Last bits differ. */
  kernels?: AdamKernels;
}

/** Our own, LibTorch's for GPUs, or LibTorch's ten for lists of tensors. */
export type AdamKernels = 'onePass' | 'fused' | 'lists';

/** A parameter and its state, which exists from the first step at which it has a gradient. */
interface Slot {
  readonly name: string;
  readonly parameter: Tensor;
  moments: { first: Tensor; second: Tensor } | undefined;
  /** Steps taken. */
  step: number;
}

/** A slot whose parameter has a gradient in this step. */
interface Update {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

/** What is the same for the parameters of a step. */
interface Step {
  /** Steps taken with this one. */
  step: number;
  rate: number;
  weightDecay: number;
  /** Of the gradients, before all else. */
  scale: Tensor | undefined;
}

interface Group {
  readonly settings: ParameterGroup;
  readonly slots: readonly Slot[];
}

/** Suffixes of a parameter's state tensors, as PyTorch names them. */
const FIRST = '.exp_avg';
const SECOND = '.exp_avg_sq';
const STEP = '.step';

/** A megabyte each of parameters, gradients and moments. */
const CHUNK_ELEMENTS = 2 ** 18;

/** Adam; weight decay is added to the gradient. */
export class Adam {
  /** Rate of the groups without one of their own. */
  learningRate: number;
  readonly #groups: readonly Group[];
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;
  readonly #clip: number | undefined;
  readonly #kernels: AdamKernels | undefined;
  /** LibTorch's name of the fused kernel. */
  protected readonly rule: 'adam' | 'adamw' = 'adam';

  constructor({
    groups,
    learningRate,
    betas = [0.9, 0.999],
    epsilon = 1e-8,
    clip,
    kernels,
  }: OptimiserOptions) {
    this.learningRate = learningRate;
    this.#betas = betas;
    this.#epsilon = epsilon;
    this.#clip = clip;
    this.#kernels = kernels;
    const names = new Set<string>();
    this.#groups = groups.map((settings) => ({
      settings,
      slots: [...settings.parameters].map(([name, parameter]) => {
        if (names.has(name)) throw new Error(`The parameter "${name}" is in two groups.`);
        names.add(name);
        return { name, parameter, moments: undefined, step: 0 };
      }),
    }));
  }

  get #slots(): Slot[] {
    return this.#groups.flatMap(({ slots }) => slots);
  }

  /** Drops all gradients. */
  zeroGrad(): void {
    clearGradients(this.#slots.map(({ parameter }) => parameter));
  }

  /** One update of every parameter that has a gradient; the gradients stay, clipped. */
  step(): void {
    scope(() => noGrad(() => this.#update()));
  }

  #update(): void {
    const gradients = gradientsOf(this.#slots.map(({ parameter }) => parameter));
    const found = gradients.filter((gradient) => gradient !== undefined);
    if (found.length === 0) return;
    const isOnProcessor = found.every(({ device }) => device === 'cpu');
    const kernels = this.#kernels ?? (isOnProcessor ? 'onePass' : 'fused');
    const isOnePass = kernels === 'onePass' && isOnProcessor && hasProcessorAdam();
    let scale: Tensor | undefined;
    if (this.#clip !== undefined && isOnePass) scale = clipFactor(found, this.#clip).factor;
    else if (this.#clip !== undefined) clipToNorm(found, this.#clip);
    let index = 0;
    for (const { settings, slots } of this.#groups) {
      // Parameters that went without a gradient at times lag behind: each has its own bias correction.
      const byStep = new Map<number, Update[]>();
      for (const slot of slots) {
        const gradient = gradients[index++];
        if (gradient === undefined) continue;
        slot.step += 1;
        const updates = byStep.get(slot.step) ?? [];
        updates.push({ parameter: slot.parameter, gradient, ...momentsOf(slot) });
        byStep.set(slot.step, updates);
      }
      const rate = settings.learningRate ?? this.learningRate;
      for (const [step, updates] of byStep) {
        const { weightDecay } = settings;
        const how = { step, rate, weightDecay, scale };
        if (isOnePass && this.#advanceInOnePass(updates, how)) continue;
        const given = updates.map(({ gradient }) => gradient);
        if (scale) multiplyAll(given, scale);
        for (const chunk of chunksOf(updates)) {
          scope(() => this.#advance(chunk, kernels === 'fused', how));
        }
      }
    }
  }

  #advanceInOnePass(updates: readonly Update[], { step, rate, weightDecay, scale }: Step): boolean {
    return processorAdam({
      parameters: updates.map(({ parameter }) => parameter),
      gradients: updates.map(({ gradient }) => gradient),
      gradientScale: scale,
      first: updates.map(({ first }) => first),
      second: updates.map(({ second }) => second),
      step,
      learningRate: rate,
      betas: this.#betas,
      weightDecay,
      epsilon: this.#epsilon,
      isDecoupled: this.rule === 'adamw',
    });
  }

  #advance(
    updates: readonly Update[],
    isFused: boolean,
    { step, rate, weightDecay }: Omit<Step, 'scale'>,
  ): void {
    const [beta1, beta2] = this.#betas;
    const parameters = updates.map(({ parameter }) => parameter);
    const given = updates.map(({ gradient }) => gradient);
    const first = updates.map((update) => update.first);
    const second = updates.map((update) => update.second);
    const { device = 'cpu' } = parameters[0] ?? {};
    if (isFused) {
      const isDone = fusedAdam({
        rule: this.rule,
        parameters,
        gradients: given,
        first,
        second,
        step: fromTypedArray(Float32Array.of(step), [], { device }),
        learningRate: rate,
        betas: this.#betas,
        weightDecay,
        epsilon: this.#epsilon,
      });
      if (isDone) return;
    }
    const gradients = this.decay(parameters, given, rate, weightDecay);
    ops._foreachMul_(first, beta1);
    ops._foreachAdd_(first, gradients, { alpha: 1 - beta1 });
    ops._foreachMul_(second, beta2);
    ops._foreachAddcmul_(second, gradients, gradients, 1 - beta2);
    const denominator = ops._foreachSqrt(second);
    ops._foreachDiv_(denominator, Math.sqrt(1 - beta2 ** step));
    ops._foreachAdd_(denominator, this.#epsilon);
    ops._foreachAddcdiv_(parameters, first, denominator, -(rate / (1 - beta1 ** step)));
  }

  /** Applies weight decay; returns the gradients to go on with. */
  protected decay(
    parameters: readonly Tensor[],
    gradients: readonly Tensor[],
    _rate: number,
    weightDecay: number,
  ): readonly Tensor[] {
    if (weightDecay === 0) return gradients;
    return ops._foreachAdd(gradients, parameters, { alpha: weightDecay });
  }

  /**
   * The moments by `<parameter>.exp_avg` and `.exp_avg_sq`, the optimiser's own tensors, and the steps
   * taken by `.step`, a new int64 scalar each. Parameters that have not been stepped are left out.
   */
  state(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const { name, moments, step } of this.#slots) {
      if (!moments) continue;
      state.set(name + FIRST, moments.first);
      state.set(name + SECOND, moments.second);
      state.set(name + STEP, tensor(step, { dtype: 'int64' }));
    }
    return state;
  }

  /**
   * Takes over copies of what `state()` gave, so that the next step is bit for bit the one that would
   * have followed.
   * @throws WorkError when a tensor is missing, of another shape, or of no parameter here.
   */
  load(state: ReadonlyMap<string, Tensor>): void {
    const slots = this.#slots;
    checkState(slots, state);
    for (const slot of slots) {
      const first = state.get(slot.name + FIRST);
      const second = state.get(slot.name + SECOND);
      const step = state.get(slot.name + STEP);
      forget(slot);
      if (!first || !second || !step) continue;
      slot.step = step.item();
      const moments = momentsOf(slot);
      noGrad(() => {
        ops.copy_(moments.first, first);
        ops.copy_(moments.second, second);
      });
    }
  }

  /** Frees the moments. The parameters are not the optimiser's to free. */
  dispose(): void {
    this.#slots.forEach(forget);
  }
}

/** AdamW; weight decay shrinks the parameter itself, by rate · weight decay. */
export class AdamW extends Adam {
  protected override readonly rule = 'adamw';

  protected override decay(
    parameters: readonly Tensor[],
    gradients: readonly Tensor[],
    rate: number,
    weightDecay: number,
  ): readonly Tensor[] {
    if (weightDecay !== 0) ops._foreachMul_(parameters, 1 - rate * weightDecay);
    return gradients;
  }
}

/**
 * Two groups: matrices, kernels and tokens with the weight decay; biases and one-dimensional tensors
 * (norms) without.
 */
export function decayGroups(
  parameters: ReadonlyMap<string, Tensor>,
  weightDecay: number,
): ParameterGroup[] {
  const decayed = new Map<string, Tensor>();
  const exempt = new Map<string, Tensor>();
  for (const [name, parameter] of parameters) {
    const isBias = name === 'bias' || name.endsWith('.bias');
    (isBias || parameter.shape.length <= 1 ? exempt : decayed).set(name, parameter);
  }
  return [
    { parameters: decayed, weightDecay },
    { parameters: exempt, weightDecay: 0 },
  ];
}

/**
 * On the CPU, runs of tensors whose state fits the cache: eight passes over them then cost a fifth to a
 * third less time than over everything, and temporaries stay small. A GPU gets all at once.
 */
function chunksOf(updates: readonly Update[]): Update[][] {
  const chunks: Update[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const update of updates) {
    const { elementCount, device } = update.parameter;
    const limit = device === 'cpu' ? CHUNK_ELEMENTS : Number.MAX_VALUE;
    if (filled + elementCount > limit) {
      chunks.push([]);
      filled = 0;
    }
    chunks.at(-1)?.push(update);
    filled += elementCount;
  }
  return chunks;
}

function momentsOf(slot: Slot): { first: Tensor; second: Tensor } {
  slot.moments ??= keep({
    first: ops.zerosLike(slot.parameter, { memoryFormat: 'preserve' }),
    second: ops.zerosLike(slot.parameter, { memoryFormat: 'preserve' }),
  });
  return slot.moments;
}

function forget(slot: Slot): void {
  slot.moments?.first.dispose();
  slot.moments?.second.dispose();
  slot.moments = undefined;
  slot.step = 0;
}

function checkState(slots: readonly Slot[], state: ReadonlyMap<string, Tensor>): void {
  const known = new Map(
    slots.flatMap(({ name, parameter: { shape } }) => [
      [name + FIRST, shape],
      [name + SECOND, shape],
      [name + STEP, []] as const,
    ]),
  );
  for (const [name, { shape }] of state) {
    const expected = known.get(name);
    if (!expected || expected.join() !== shape.join()) {
      throw new WorkError({
        where: `optimiser state ${name}`,
        expected: expected ? `shape [${expected}]` : 'the state of a parameter of this model',
        got: expected ? `[${shape}]` : 'a name that fits none',
        hint: 'resume with the model and settings that the state was saved with',
      });
    }
  }
  for (const { name } of slots) {
    const parts = [FIRST, SECOND, STEP].map((suffix) => name + suffix);
    const missing = parts.filter((part) => !state.has(part));
    if (missing.length === 1 || missing.length === 2) {
      throw new WorkError({
        where: `optimiser state ${name}`,
        expected: parts.join(', '),
        got: `no ${missing.join(', ')}`,
      });
    }
  }
}
