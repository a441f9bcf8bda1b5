/** Looking at a study again and again: finished runs are read once, unless their record changes. */
import { statSync } from 'node:fs';
import { runPaths } from '../results/index.ts';
import { type PlannedRun, studyPaths } from './run.ts';
import { type RunState, readStates } from './state.ts';

export class StateReader {
  readonly #folder: string;
  /** Finished runs, with what their run.json was when it was read. */
  readonly #finished = new Map<string, { stamp: string; state: RunState }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The states of all runs, in the plan's order, as `readStates` gives them. */
  async read(runs: readonly PlannedRun[]): Promise<RunState[]> {
    const stamps = new Map(runs.map(({ id }) => [id, this.#stamp(id)]));
    const known = (run: PlannedRun): RunState | undefined => {
      const finished = this.#finished.get(run.id);
      return finished && finished.stamp === stamps.get(run.id) ? finished.state : undefined;
    };
    // A source run that is known is done: none of the others waits for it.
    const others = runs.filter((run) => !known(run));
    const fresh = await readStates(this.#folder, others);
    const read = new Map(fresh.map((state) => [state.run.id, state]));
    const states = runs.flatMap((run) => known(run) ?? read.get(run.id) ?? []);
    for (const state of fresh) {
      const stamp = stamps.get(state.run.id);
      if (state.status === 'done' && stamp) this.#finished.set(state.run.id, { stamp, state });
    }
    return states;
  }

  /** Changes whenever the file does: it is replaced as a whole. */
  #stamp(id: string): string | undefined {
    const { record } = runPaths(studyPaths(this.#folder).run(id));
    const found = statSync(record, { throwIfNoEntry: false });
    return found && `${found.ino} ${found.mtimeMs} ${found.size}`;
  }
}
