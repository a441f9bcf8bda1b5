/**
 * Every tap's module put back to its initial state, one at a time, and what the network says then. A reset
 * changes nothing before the module: the trained network is run on segment by segment, and from the
 * input of each tap's segment the rest is run with that module reset. Each activation is computed once
 * and used for the reset that needs it, so that memory is that of one batch; about half of the arithmetic
 * of whole passes is saved. The same operators see the same numbers as in whole passes: results are equal
 * to the bit.
 */
import { type ImageModel, owns } from '../models/index.ts';
import { autocast, inferenceMode, scope, type Tensor } from '../tensor/index.ts';

export interface SweepSettings {
  device: string;
  precision: 'fp32' | 'bf16';
}

/** A tap whose module can be put back. */
interface Resettable {
  tap: string;
  /** Position of the segment that holds all of the module. */
  segment: number;
  /** The model's own tensors, with what they hold now and what they held at first. */
  tensors: { own: Tensor; trained: Tensor; initial: Tensor }[];
}

/** Logits [B, K] as trained, and by tap with that tap's module reset. */
export interface SweepLogits {
  trained: Float32Array;
  outputs: number;
  reset: Map<string, Float32Array>;
}

export class ResetSweep {
  readonly #model: ImageModel;
  readonly #settings: SweepSettings;
  readonly #taps: Resettable[];

  /**
   * @param model as trained; its tensors are swapped during calls and as they were after them.
   * @param initial the same network as it began. Both must stay alive.
   */
  constructor(model: ImageModel, initial: ImageModel, settings: SweepSettings) {
    this.#model = model;
    this.#settings = settings;
    const before = initial.state();
    this.#taps = model.taps.map(({ name: tap, prefixes }) => {
      const segment = model.segments.findIndex(({ name }) => name === tap);
      const tensors = [...model.state()].flatMap(([name, own]) => {
        const first = before.get(name);
        return first && owns(prefixes, name)
          ? [{ own, trained: own.detach(), initial: first.detach() }]
          : [];
      });
      return { tap, segment, tensors };
    });
  }

  /** How many tensors a reset of the tap puts back. */
  tensorCount(tap: string): number {
    return this.#taps.find((one) => one.tap === tap)?.tensors.length ?? 0;
  }

  /** One batch, activations re-used. @param images [B, C, S, S] on the device. */
  logits(images: Tensor): SweepLogits {
    const { segments } = this.#model;
    const reset = new Map<string, Float32Array>();
    return scope(() => {
      let state = images;
      for (let at = 0; at < segments.length; at++) {
        for (const resettable of this.#taps) {
          if (resettable.segment !== at) continue;
          const from = state;
          const values = this.#whileReset(resettable, () => this.#finish(from, at));
          reset.set(resettable.tap, values);
        }
        const next = this.#step(state, at);
        if (state !== images && state !== next) state.dispose();
        state = next;
      }
      return { trained: valuesOf(state), outputs: state.shape[1] ?? 0, reset };
    });
  }

  /** One batch, every reset a whole pass: what {@link logits} must equal. For tests and benchmarks. */
  plainLogits(images: Tensor): SweepLogits {
    const trained = this.#finish(images, 0);
    const reset = new Map(
      this.#taps.map((resettable) => [
        resettable.tap,
        this.#whileReset(resettable, () => this.#finish(images, 0)),
      ]),
    );
    return { trained, outputs: trained.length / (images.shape[0] ?? 1), reset };
  }

  dispose(): void {
    for (const { tensors } of this.#taps) {
      for (const { trained, initial } of tensors) {
        trained.dispose();
        initial.dispose();
      }
    }
  }

  /** The state before segment `at` run on to the logits. */
  #finish(state: Tensor, at: number): Float32Array {
    return scope(() => {
      let current = state;
      for (let segment = at; segment < this.#model.segments.length; segment++) {
        const next = this.#step(current, segment);
        if (current !== state && current !== next) current.dispose();
        current = next;
      }
      return valuesOf(current);
    });
  }

  /**
   * One segment, as a pass that nobody observes runs it. Every call has an autocast of its own, which
   * forgets what weights it has converted: they change between calls.
   */
  #step(state: Tensor, at: number): Tensor {
    const segment = this.#model.segments[at];
    if (!segment) throw new Error(`no segment ${at}`);
    const { device, precision } = this.#settings;
    return scope(() =>
      inferenceMode(
        () =>
          autocast({ device, dtype: 'bfloat16', enabled: precision === 'bf16' }, () =>
            segment.run(state, true),
          ).state,
      ),
    );
  }

  /** Swaps the module's memory for the initial one, and back. */
  #whileReset<T>({ tensors }: Resettable, body: () => T): T {
    try {
      for (const { own, initial } of tensors) own.setData(initial);
      return body();
    } finally {
      for (const { own, trained } of tensors) own.setData(trained);
    }
  }
}

function valuesOf(logits: Tensor): Float32Array {
  return Float32Array.from(logits.toArray());
}
