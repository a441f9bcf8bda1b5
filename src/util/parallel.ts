/** Asynchronous work on many items with a bounded number under way. */

/**
 * Runs `work` on every item, at most `limit` at once, and returns the results in the items' order.
 * The first failure ends it: nothing new is started, and the failure is thrown.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const runner = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runner));
  return results;
}

/** Work of several callers with a bounded number under way: who asks first is served first. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param atOnce how many pieces of work may be under way. */
  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /**
   * Runs `work` on every item, each when its turn has come, after all that was asked for before. The first
   * failure ends it: nothing new is started, and the failure is thrown.
   */
  async each<T>(
    items: readonly T[],
    work: (item: T, index: number) => Promise<void>,
  ): Promise<void> {
    let failed = false;
    const inTurn = async (item: T, index: number): Promise<void> => {
      if (this.#free > 0) this.#free--;
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
      try {
        if (!failed) await work(item, index);
      } catch (error) {
        failed = true;
        throw error;
      } finally {
        const next = this.#waiting.shift();
        if (next) next();
        else this.#free++;
      }
    };
    await Promise.all(items.map(inTurn));
  }
}
