/** The runs that may start, in the plan's order. */
import type { PlannedRun } from './run.ts';

/**
 * Kept apart by class (what has room or not alike), so that a run without room holds up only those
 * like it, and taking the next one costs the same however many wait.
 */
export class ReadyRuns {
  readonly #order: ReadonlyMap<string, number>;
  readonly #classOf: (run: PlannedRun) => string;
  readonly #classes = new Map<string, Queue>();

  /** @param runs all of the plan, in its order */
  constructor(runs: readonly PlannedRun[], classOf: (run: PlannedRun) => string) {
    this.#order = new Map(runs.map(({ id }, index) => [id, index]));
    this.#classOf = classOf;
  }

  add(run: PlannedRun): void {
    const name = this.#classOf(run);
    const queue = this.#classes.get(name) ?? new Queue();
    this.#classes.set(name, queue);
    queue.add(run, this.#position(run));
  }

  remove(run: PlannedRun): void {
    this.#classes.get(this.#classOf(run))?.remove(run);
  }

  /** Takes the first run that has room; `undefined` where none has. */
  take(hasRoom: (run: PlannedRun) => boolean): PlannedRun | undefined {
    const heads = [...this.#classes.values()].flatMap((queue) => queue.head ?? []);
    heads.sort((a, b) => this.#position(a) - this.#position(b));
    const run = heads.find(hasRoom);
    if (run) this.remove(run);
    return run;
  }

  #position(run: PlannedRun): number {
    return this.#order.get(run.id) ?? Number.POSITIVE_INFINITY;
  }
}

/** Runs in order of their positions; those that were removed are skipped when their turn comes. */
class Queue {
  #entries: { run: PlannedRun; position: number }[] = [];
  #next = 0;
  readonly #present = new Set<string>();

  add(run: PlannedRun, position: number): void {
    if (this.#present.has(run.id)) return;
    this.#present.add(run.id);
    // Nearly always the last place; a run that comes back goes to its own.
    let at = this.#entries.length;
    while (at > this.#next && (this.#entries[at - 1]?.position ?? 0) > position) at--;
    this.#entries.splice(at, 0, { run, position });
  }

  remove(run: PlannedRun): void {
    this.#present.delete(run.id);
  }

  get head(): PlannedRun | undefined {
    for (;;) {
      const entry = this.#entries[this.#next];
      if (!entry || this.#present.has(entry.run.id)) return entry?.run;
      this.#next++;
    }
  }
}
