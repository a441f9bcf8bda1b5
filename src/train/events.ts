/** What a run tells while it goes: for progress bars, logs and tests. */
import type { EvaluationLine, RunRecord, TrainLine } from '../results/index.ts';

export type TrainEvent =
  /** What the run is doing now, in words. */
  | { kind: 'phase'; text: string }
  | { kind: 'warning'; text: string }
  /** Images read for the first time. */
  | { kind: 'images'; done: number; total: number }
  /** A step was done. `loss` is of the latest line of the log. */
  | { kind: 'step'; iteration: number; maxIterations: number; loss?: number; best?: number }
  | { kind: 'log'; line: TrainLine | EvaluationLine }
  | { kind: 'saved'; iteration: number };

export interface TrainOptions {
  onEvent?: (event: TrainEvent) => void;
  /** Aborted to stop at the next step boundary, with the state saved. */
  signal?: AbortSignal;
}

/**
 * `alreadyFinished`: the folder held the finished run, and nothing was done. `stopped`: there is no
 * record where the stop came before the run had begun.
 */
export type RunOutcome =
  | { status: 'finished' | 'alreadyFinished'; record: RunRecord }
  | { status: 'stopped'; record: RunRecord | undefined };

/** A stop was asked for, and the work ended at a boundary from which it can go on. */
export class TrainingStopped extends Error {}

/** Whether an error says that a stop was asked for, here or in what reads the data. */
export function isStop(error: unknown, signal: AbortSignal | undefined): boolean {
  return error instanceof TrainingStopped || (signal?.aborted === true && error === signal.reason);
}

/** @throws TrainingStopped once the signal is aborted. */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new TrainingStopped();
}
