/** The tables of a study that is running: written anew as runs finish, so that they can be read at any time. */
import type { Plan } from '../../../study/index.ts';
import { loadFigures, loadStudies } from './prepare.ts';

/** Writing takes so small a part of the time at most: it reads all runs that are finished. */
const SHARE = 0.02;

/** Writes at most one at a time, and rests in between. */
export class Tables {
  readonly #write: () => Promise<unknown>;
  #wanted = false;
  #working: Promise<void> | undefined;
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: () => Promise<unknown>) {
    this.#write = write;
  }

  /** Asks for the tables to be written soon. */
  ask(): void {
    this.#wanted = true;
    if (this.#working || this.#timer) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#working = this.#work();
      },
      Math.max(0, this.#notBefore - performance.now()),
    );
    this.#timer.unref();
  }

  /** Ends the writing; waits for one that is going. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#wanted = false;
    await this.#working;
  }

  async #work(): Promise<void> {
    const begin = performance.now();
    this.#wanted = false;
    // A file that is being replaced while it is read; the next time will do.
    await this.#write().catch(() => {});
    const end = performance.now();
    this.#notBefore = end + (end - begin) / SHARE;
    this.#working = undefined;
    if (this.#wanted) this.ask();
  }
}

/**
 * The plan whose tables belong into the folder: the runner's own, or that of a `study run` that planned
 * the study anew meanwhile, which is then told.
 */
export async function newestPlan(plan: Plan, onNewer: (newest: Plan) => void): Promise<Plan> {
  const { readPlan } = await loadStudies();
  const newest = await readPlan(plan.folder);
  const own = new Set(plan.runs.map(({ id }) => id));
  if (newest.runs.length === own.size && newest.runs.every(({ id }) => own.has(id))) return plan;
  onNewer(newest);
  return newest;
}

/** Writes the tables of a plan. */
export async function writeTables(plan: Plan): Promise<void> {
  const { writeReport } = await loadStudies();
  const { writeTable1 } = await loadFigures();
  await writeTable1(await writeReport(plan), plan.folder);
}
