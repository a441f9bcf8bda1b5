/**
 * Convergence (METHODS; the paper's figures 8 and 19): iterations to the best validation metric, and the
 * curve that led there; of two runs, how much faster the one was.
 */
import {
  type AnalysisDocument,
  type ConvergenceDocument,
  type EvaluationLine,
  readLog,
} from '../results/index.ts';
import { WorkError } from '../util/index.ts';
import type { FinishedRun } from './finishedRun.ts';
import type { Measure, Outcome, TextTable } from './measure.ts';
import { describeNumber } from './show.ts';
import type { Subject } from './subject.ts';

type Side = ConvergenceDocument['subject'];

export const convergence: Measure = {
  name: 'convergence',
  summary: 'iterations to the best validation metric, and the curve that led there',
  takesPair: true,
  networks: () => [],
  begin: (subject) => ({ readers: [], finish: () => measure(subject) }),
  table,
};

async function measure(subject: Subject): Promise<Outcome> {
  const { run, against } = subject;
  const side = await sideOf(run);
  const other = against && (await sideOf(against));
  const document: ConvergenceDocument = {
    ...subject.head([], { isPair: other !== undefined }),
    measure: 'convergence',
    subject: side,
    ...(other
      ? {
          other,
          speedUp: speedUp(other.iterationsToBest, side.iterationsToBest),
          iterationsToOthersBest: firstToReach(side.curve, other.best) ?? null,
        }
      : {}),
  };
  return { document };
}

async function sideOf({ folder, record, result, data }: FinishedRun): Promise<Side> {
  const lines = await readLog(folder);
  const evaluations = lines.filter((line) => line.kind === 'evaluation');
  if (evaluations.length === 0) {
    throw new WorkError({
      where: `${folder}/log.jsonl`,
      expected: 'the evaluations of a finished run',
      got: 'none',
      hint: 'was the file removed or cut off?',
    });
  }
  return {
    runId: record.runId,
    init: record.config.init,
    schedule: record.config.training.schedule,
    metric: data.metric,
    iterations: result.iterations,
    iterationsToBest: result.iterationsToBest,
    best: result.validation.primary.value ?? null,
    curve: evaluations.map(pointOf),
  };
}

function pointOf(line: EvaluationLine): Side['curve'][number] {
  const { iteration, epoch, learningRate, value, loss } = line;
  return { iteration, epoch, learningRate, value: value ?? null, loss };
}

/** How many times fewer iterations; `null` where the best was there before the first step. */
export function speedUp(reference: number, iterations: number): number | null {
  return iterations > 0 ? reference / iterations : null;
}

/** The first iteration of a curve at which it reached `level`. */
export function firstToReach(
  curve: readonly { iteration: number; value: number | null }[],
  level: number | null,
): number | undefined {
  if (level === null) return undefined;
  return curve.find(({ value }) => value !== null && value >= level)?.iteration;
}

function table(document: AnalysisDocument): TextTable {
  if (document.measure !== 'convergence') throw new Error('another measure');
  const { subject, other, speedUp: faster, iterationsToOthersBest } = document;
  const row = (name: string, side: Side): (string | number)[] => [
    name,
    side.init,
    side.iterationsToBest,
    side.iterations,
    describeNumber(side.best),
    side.schedule,
  ];
  return {
    columns: [
      'run',
      'init',
      'iterations to best',
      'of',
      `validation ${subject.metric}`,
      'schedule',
    ],
    rows: [row('run', subject), ...(other ? [row('against', other)] : [])],
    notes: other
      ? [
          `speed-up: ${describeNumber(faster, 2)}`,
          iterationsToOthersBest === null || iterationsToOthersBest === undefined
            ? 'the run never reached the best of the other'
            : `the run reached the best of the other at iteration ${iterationsToOthersBest}`,
        ]
      : [],
  };
}
