/**
 * What the network says of the test split in full: every metric, every class, the confusion matrix, and
 * whether it is right as often as it says.
 */
import { evaluate } from '../eval/index.ts';
import type { ImageModel } from '../models/index.ts';
import type { AnalysisDocument, CalibrationDocument } from '../results/index.ts';
import { autocast, inferenceMode, scope, type Tensor } from '../tensor/index.ts';
import { requireFiniteRows } from './finite.ts';
import type {
  BatchView,
  Measure,
  MeasureOptions,
  Outcome,
  Reader,
  TextTable,
  Work,
} from './measure.ts';
import { calibrationOf } from './reliability.ts';
import { describeMetric } from './show.ts';
import type { NetworkKey, Subject } from './subject.ts';

export const calibration: Measure = {
  name: 'calibration',
  summary:
    'every class, the confusion matrix, and whether the network is right as often as it says',
  takesPair: false,
  networks: ({ checkpoint }) => [`run:${checkpoint}`],
  begin: (subject, options) => new CalibrationWork(subject, options),
  table,
};

class CalibrationWork implements Work {
  readonly readers: readonly Reader[];
  readonly #subject: Subject;
  readonly #options: MeasureOptions;
  readonly #network: NetworkKey;
  readonly #logits: number[] = [];
  readonly #labels: number[] = [];
  readonly #indices: number[] = [];
  #outputs = 0;

  constructor(subject: Subject, options: MeasureOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#network = `run:${options.checkpoint}`;
    this.readers = [
      {
        network: this.#network,
        split: 'test',
        images: (model, images, batch) => this.#read(model, images, batch),
      },
    ];
  }

  finish(): Outcome {
    const predictions = {
      logits: Float32Array.from(this.#logits),
      outputs: this.#outputs,
      labels: Float64Array.from(this.#labels),
      indices: this.#indices,
    };
    const { description } = this.#subject;
    const { metric, primary, metrics, perClass, confusion } = evaluate(predictions, description);
    const evaluation = { metric, primary, metrics, perClass, ...(confusion ? { confusion } : {}) };
    const document: CalibrationDocument = {
      ...this.#subject.head([this.#network], { isPair: false }),
      measure: 'calibration',
      precision: this.#subject.runPrecision,
      images: this.#indices.length,
      evaluation: evaluation as CalibrationDocument['evaluation'],
      ...calibrationOf(predictions, description, this.#options.bins),
    };
    return { document };
  }

  #read(model: ImageModel, images: Tensor, batch: BatchView): void {
    const { device } = this.#subject.options;
    const enabled = this.#subject.runPrecision === 'bf16';
    const { values, outputs } = scope(() => {
      const logits = inferenceMode(() =>
        autocast({ device, dtype: 'bfloat16', enabled }, () => model.forward(images)),
      );
      return { values: logits.toArray(), outputs: logits.shape[1] ?? 0 };
    });
    requireFiniteRows(values, outputs, (row) => ({
      tap: 'the logits',
      image: this.#subject.imageName(batch.indices[row] ?? -1),
    }));
    this.#outputs = outputs;
    this.#logits.push(...values);
    this.#labels.push(...batch.labels.toArray());
    this.#indices.push(...batch.indices);
  }
}

function table(document: AnalysisDocument): TextTable {
  if (document.measure !== 'calibration') throw new Error('another measure');
  const { evaluation, overall, images } = document;
  return {
    columns: ['confidence', 'images', 'mean confidence', 'came true'],
    rows: overall.bins.map(({ low, high, count, confidence, frequency }) => [
      `${low.toFixed(2)}–${high.toFixed(2)}`,
      count,
      confidence?.toFixed(4),
      frequency?.toFixed(4),
    ]),
    notes: [
      `expected calibration error ${describeMetric(overall.expectedError)}, greatest ${describeMetric(overall.greatestError)}, over ${images} test images`,
      ...Object.entries(evaluation.metrics).map(
        ([name, metric]) =>
          `${name}${name === evaluation.metric ? ' *' : ''}: ${describeMetric(metric)}`,
      ),
      ...Object.entries(evaluation.perClass).map(
        ([name, metric]) => `${name}: ${describeMetric(metric)}`,
      ),
    ],
  };
}
