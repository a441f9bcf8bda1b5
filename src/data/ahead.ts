/** Batches for a GPU, each on its way there while the one before it is used. */

/**
 * The same batches in the same order, each made before the one before it is given out. What a batch queues
 * on a GPU (its copy, its augmentation) is then there before anybody waits for the work on the batch before,
 * and the next step can start as soon as that is done. Costs the memory of one more batch.
 */
export async function* oneAhead<T extends { dispose(): void }>(
  batches: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  let waiting: T | undefined;
  try {
    for await (const next of batches) {
      const due = waiting;
      waiting = next;
      if (due) yield due;
    }
    const last = waiting;
    waiting = undefined;
    if (last) yield last;
  } finally {
    // The loop that takes the batches was left early.
    waiting?.dispose();
  }
}
