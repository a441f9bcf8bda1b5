/**
 * Re-initialisation robustness (METHODS; the paper's figures 5 and 16, after Zhang et al. 2019): the test
 * metric with one tap's module put back to its initial state, buffers included, all else as trained.
 */
import { evaluate } from '../eval/index.ts';
import type { ImageModel } from '../models/index.ts';
import type { AnalysisDocument, ReinitDocument } from '../results/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import type { BatchView, Measure, Outcome, Reader, TextTable, Work } from './measure.ts';
import { ResetSweep } from './resetSweep.ts';
import { describeMetric, describeNumber } from './show.ts';
import type { NetworkKey, Subject } from './subject.ts';

type Evaluation = ReinitDocument['trained'];

const networks: readonly NetworkKey[] = ['run:initial', 'run:best'];

export const reinit: Measure = {
  name: 'reinit',
  summary: 'the test metric with one tap’s module put back to its initial state',
  takesPair: false,
  networks: () => networks,
  begin: (subject) => new ReinitWork(subject),
  table,
};

class ReinitWork implements Work {
  readonly readers: readonly Reader[];
  readonly #subject: Subject;
  readonly #model: ImageModel;
  readonly #sweep: ResetSweep;
  readonly #trained: number[] = [];
  readonly #reset = new Map<string, number[]>();
  readonly #labels: number[] = [];
  readonly #indices: number[] = [];
  #outputs = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#model = subject.network('run:best');
    this.#sweep = new ResetSweep(this.#model, subject.network('run:initial'), {
      device: subject.options.device,
      precision: subject.runPrecision,
    });
    this.readers = [
      {
        network: 'run:best',
        split: 'test',
        images: (_model, images, batch) => this.#read(images, batch),
      },
    ];
  }

  finish(): Outcome {
    const whole = this.#evaluate(this.#trained);
    if (!whole.evaluation) {
      throw new WorkError({
        where: `run ${this.#subject.run.record.runId}`,
        expected: 'a trained network with finite logits',
        got: whole.reason ?? 'none',
      });
    }
    const trained = whole.evaluation;
    const document: ReinitDocument = {
      ...this.#subject.head(networks, { isPair: false }),
      measure: 'reinit',
      precision: this.#subject.runPrecision,
      images: this.#indices.length,
      trained,
      taps: this.#model.taps.map(({ name: tap }) => {
        const { evaluation, reason } = this.#evaluate(this.#reset.get(tap) ?? []);
        const before = trained.primary.value;
        const after = evaluation?.primary.value;
        return {
          tap,
          tensors: this.#sweep.tensorCount(tap),
          ...(evaluation ? { evaluation } : {}),
          drop: before === undefined || after === undefined ? null : before - after,
          ...(reason === undefined ? {} : { reason }),
        };
      }),
    };
    return { document };
  }

  dispose(): void {
    this.#sweep.dispose();
  }

  #read(images: Tensor, batch: BatchView): void {
    const { trained, outputs, reset } = this.#sweep.logits(images);
    this.#outputs = outputs;
    append(this.#trained, trained);
    for (const [tap, values] of reset) {
      const all = this.#reset.get(tap) ?? [];
      this.#reset.set(tap, all);
      append(all, values);
    }
    append(this.#labels, batch.labels.toArray());
    append(this.#indices, batch.indices);
  }

  /** The metrics of logits; a reason where they are no numbers, as a reset network's may be. */
  #evaluate(logits: readonly number[]): { evaluation?: Evaluation; reason?: string } {
    const bad = logits.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const image = this.#indices[Math.floor(bad / this.#outputs)] ?? -1;
      return { reason: `logits of ${this.#subject.imageName(image)} are ${logits[bad]}` };
    }
    const { metric, primary, metrics, perClass, confusion } = evaluate(
      {
        logits: Float32Array.from(logits),
        outputs: this.#outputs,
        labels: Float64Array.from(this.#labels),
        indices: this.#indices,
      },
      this.#subject.description,
    );
    const evaluation = { metric, primary, metrics, perClass, ...(confusion ? { confusion } : {}) };
    return { evaluation: evaluation as Evaluation };
  }
}

function append(target: number[], values: ArrayLike<number>): void {
  for (let at = 0; at < values.length; at++) target.push(values[at] ?? Number.NaN);
}

function table(document: AnalysisDocument): TextTable {
  if (document.measure !== 'reinit') throw new Error('another measure');
  const { trained, taps, images } = document;
  return {
    columns: ['tap put back', 'tensors', trained.metric, 'drop'],
    rows: taps.map(({ tap, tensors, evaluation, drop, reason }) => [
      tap,
      tensors,
      evaluation ? describeMetric(evaluation.primary) : `undefined: ${reason}`,
      describeNumber(drop),
    ]),
    notes: [`as trained: ${describeMetric(trained.primary)} on ${images} test images`],
  };
}
