/**
 * ℓ2 (METHODS; the paper's figures 4 and 17): how far each tap's weights are from where they began; of
 * two runs, how far they are from each other.
 */
import type { AnalysisDocument, L2Document } from '../results/index.ts';
import type { Measure, MeasureOptions, Outcome, TextTable } from './measure.ts';
import type { NetworkKey, Subject } from './subject.ts';
import { weightDrift } from './weightDrift.ts';

export const l2: Measure = {
  name: 'l2',
  summary: 'how far each tap’s weights are from where they began',
  takesPair: true,
  networks: networksOf,
  begin: (subject, options) => ({ readers: [], finish: () => measure(subject, options) }),
  table,
};

function networksOf({ checkpoint }: MeasureOptions, isPair: boolean): [NetworkKey, NetworkKey] {
  return isPair ? [`against:${checkpoint}`, `run:${checkpoint}`] : ['run:initial', 'run:best'];
}

function measure(subject: Subject, options: MeasureOptions): Outcome {
  const { run, against } = subject;
  const isPair = against !== undefined;
  const [from, to] = networksOf(options, isPair);
  const model = subject.network(to);
  const document: L2Document = {
    ...subject.head([from, to], { isPair }),
    measure: 'l2',
    from: {
      run: (against ?? run).record.runId,
      checkpoint: isPair ? options.checkpoint : 'initial',
    },
    to: { run: run.record.runId, checkpoint: isPair ? options.checkpoint : 'best' },
    taps: weightDrift(model, subject.network(from).state(), model.state()),
  };
  return { document };
}

function table(document: AnalysisDocument): TextTable {
  if (document.measure !== 'l2') throw new Error('another measure');
  return {
    columns: ['tap', 'weights', '‖w − w₀‖', 'per weight', 'of ‖w₀‖'],
    rows: document.taps.map(({ tap, weights, norm, distance, initialNorm }) => [
      tap,
      weights,
      norm.toPrecision(5),
      distance.toExponential(4),
      initialNorm > 0 ? (norm / initialNorm).toFixed(4) : 'undefined',
    ]),
    notes: [],
  };
}
