/** What can carry out the runs of a study: this machine, or a cluster. */
import type { PlannedRun } from '../run.ts';
import type { RunState } from '../state.ts';

/** How a run's process ended. */
export interface AttemptEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines that it wrote to the run's console.log. */
  output: string;
  /** Of the process, where it ran on this machine. */
  pid?: number;
  /** It goes on without this runner, which was asked to stop. */
  left?: boolean;
  /** Nobody's fault but the machine's (the node failed, the time was up), as often as it may be: why. */
  lost?: string;
  /** Cancelled by a person, so not tried again. */
  cancelled?: string;
}

/** A run that was begun or queued. */
export interface Attempt {
  ended: Promise<AttemptEnd>;
}

/** Kept while this runner has a run in hand, so that no other one takes it. */
export interface Reservation {
  release(): Promise<void>;
}

export interface Executor {
  /** Runs of one class have room or not alike; the runner asks for the first of each class only. */
  classOf(run: PlannedRun): string;
  /** Whether one more run, this one, fits beside those that are going. */
  hasRoom(run: PlannedRun): boolean;
  /**
   * Whether a run that is `running` by its files is the executor's to start all the same: its job is in
   * the queue since before this runner began, or is over and could not say so.
   */
  mayStart(state: RunState): boolean;
  /** `undefined` where another runner has it in hand. */
  reserve(run: PlannedRun): Promise<Reservation | undefined>;
  /** Begins a run, or queues it until {@link Executor.flush}. */
  start(run: PlannedRun): Promise<Attempt>;
  /** Begins what {@link Executor.start} queued. */
  flush(): Promise<void>;
  /** Asks everything to stop at a step boundary, or leaves it to go on by itself. */
  stop(): void;
  /** Ends at once what would end with this process. */
  kill(): void;
  /** After the last run: frees what the executor holds. */
  close(): Promise<void>;
}
