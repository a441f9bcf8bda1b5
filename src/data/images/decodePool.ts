/** Threads that decode and resize image files. With none, the caller's own thread does it. */
import { ThreadPool } from '../threads/threadPool.ts';
import { BadImageError } from './badImage.ts';
import { type ResizedImage, readResized } from './resizedImage.ts';

export interface DecodeRequest {
  path: string;
  resize: number;
  maxPixels: number;
}

/** The image, or why the file is no usable one. */
export type DecodeResult = { image: ResizedImage } | { bad: string };

/**
 * Requests for each thread that a caller does well to have under way: enough that no thread runs dry
 * while the caller's own thread is busy, few enough that their results fit into memory.
 */
const requestsPerThread = 16;

export class DecodePool {
  readonly #threads: ThreadPool<DecodeRequest, DecodeResult> | undefined;
  /** How many requests a caller should have under way. */
  readonly capacity: number;

  /** @param threads 0 decodes in the caller's thread. */
  constructor(threads: number) {
    if (threads > 0) this.#threads = new ThreadPool('./decodeWorker', import.meta.url, threads);
    this.capacity = threads === 0 ? 2 : threads * requestsPerThread;
  }

  /**
   * A file as resize × resize pixels.
   * @throws BadImageError with the reason; WorkError where a thread died.
   */
  async read(path: string, resize: number, maxPixels: number): Promise<ResizedImage> {
    if (!this.#threads) return readResized(path, resize, maxPixels);
    const result = await this.#threads.run({ path, resize, maxPixels }, path);
    if ('image' in result) return result.image;
    throw new BadImageError(result.bad);
  }

  /** Ends the threads; requests under way fail. Later requests start new ones. */
  async close(): Promise<void> {
    await this.#threads?.close();
  }
}
