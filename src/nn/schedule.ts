/** The learning rate over a run: linear warm-up, then reductions on plateaus of the validation metric. */

export interface ScheduleOptions {
  baseLearningRate: number;
  /** Iterations over which the rate rises linearly to the base; 0 for none. */
  warmupIterations?: number;
  /** `constant` keeps the base rate after the warm-up and never stops. */
  kind?: 'plateau' | 'constant';
  /** What the rate is multiplied by at a plateau. */
  factor?: number;
  /** Evaluations without improvement that are let pass; the next one is a plateau. */
  patience?: number;
  minLearningRate?: number;
}

/** What a resume needs, as JSON. */
export interface ScheduleState {
  /** The rate after warm-up. */
  learningRate: number;
  /** The highest metric seen, `null` before the first. */
  best: number | null;
  /** Evaluations since the last improvement or reduction. */
  stalled: number;
}

/** What an evaluation led to; `stop`: the metric stalled again at the lowest rate. */
export type Verdict = 'continue' | 'reduced' | 'stop';

/** PyTorch ignores a reduction smaller than this. */
const SMALLEST_REDUCTION = 1e-8;

/**
 * Linear warm-up, then as `torch.optim.lr_scheduler.ReduceLROnPlateau(mode='max', threshold=0)`: an
 * evaluation improves when its metric exceeds the highest so far. Evaluations during the warm-up can
 * raise the highest but do not count as stalled.
 */
export class WarmupPlateau {
  readonly #settings: Required<Omit<ScheduleOptions, 'baseLearningRate'>>;
  #learningRate: number;
  #best: number | undefined;
  #stalled = 0;

  constructor({
    baseLearningRate,
    warmupIterations = 1000,
    kind = 'plateau',
    factor = 0.1,
    patience = 3,
    minLearningRate = 1e-6,
  }: ScheduleOptions) {
    this.#settings = { kind, warmupIterations, factor, patience, minLearningRate };
    this.#learningRate = baseLearningRate;
  }

  /** The rate of the update number `iteration`, counted from 0. */
  rate(iteration: number): number {
    const { warmupIterations } = this.#settings;
    if (iteration >= warmupIterations) return this.#learningRate;
    return (this.#learningRate * (iteration + 1)) / warmupIterations;
  }

  /**
   * Takes in an evaluation.
   *
   * @param metric higher is better; `undefined` or NaN never improves
   * @param iteration updates done so far
   */
  observe(metric: number | undefined, iteration: number): Verdict {
    const { kind, warmupIterations, patience } = this.#settings;
    if (metric !== undefined && metric > (this.#best ?? Number.NEGATIVE_INFINITY)) {
      this.#best = metric;
      this.#stalled = 0;
      return 'continue';
    }
    if (kind === 'constant' || iteration < warmupIterations) return 'continue';
    this.#stalled += 1;
    return this.#stalled > patience ? this.#reduce() : 'continue';
  }

  #reduce(): Verdict {
    const { factor, minLearningRate } = this.#settings;
    const reduced = Math.max(this.#learningRate * factor, minLearningRate);
    if (this.#learningRate - reduced <= SMALLEST_REDUCTION) return 'stop';
    this.#learningRate = reduced;
    this.#stalled = 0;
    return 'reduced';
  }

  state(): ScheduleState {
    return {
      learningRate: this.#learningRate,
      best: this.#best ?? null,
      stalled: this.#stalled,
    };
  }

  load(state: ScheduleState): void {
    this.#learningRate = state.learningRate;
    this.#best = state.best ?? undefined;
    this.#stalled = state.stalled;
  }
}
