/** Threads that augment batches. With none, the caller's own thread does it. */
import { ThreadPool } from '../threads/threadPool.ts';
import { type AugmentRequest, augmentImages, partOf } from './augmentImages.ts';

/** Parts of a batch for each thread: more than one, so that none waits long for the slowest. */
const partsPerThread = 4;

export class AugmentPool {
  readonly #threads: ThreadPool<AugmentRequest, undefined> | undefined;
  readonly #parts: number;
  #isClosed = false;

  /** @param threads 0 augments in the caller's thread. They are started when first needed. */
  constructor(threads: number) {
    this.#parts = threads * partsPerThread;
    if (threads > 0) this.#threads = new ThreadPool('./augmentWorker', import.meta.url, threads);
  }

  /** Memory for pixels or images, which threads see too. */
  memory(bytes: number): ArrayBuffer | SharedArrayBuffer {
    return this.#threads ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  }

  /**
   * Fills the request's images, which like its pixels are in `memory`.
   * @throws WorkError where a thread died.
   */
  async augment(request: AugmentRequest): Promise<void> {
    if (this.#isClosed) throw new Error('augmentation was closed');
    const threads = this.#threads;
    if (!threads) {
      augmentImages(request);
      return;
    }
    const count = Math.ceil(request.indices.length / this.#parts);
    const parts = Array.from({ length: Math.ceil(request.indices.length / count) }, (_, part) =>
      partOf(request, part * count, count),
    );
    await Promise.all(parts.map((part) => threads.run(part, 'augmentation')));
  }

  /** Ends the threads; requests under way fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#threads?.close();
  }
}
