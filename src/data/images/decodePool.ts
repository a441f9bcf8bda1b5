/** Threads that decode and resize image files. With none, the caller's own thread does it. */
import type { Worker } from 'node:worker_threads';
import { WorkError } from '../../util/index.ts';
import { BadImageError } from './badImage.ts';
import { type ResizedImage, readResized } from './resizedImage.ts';
import { startThread } from './startThread.ts';

export interface DecodeRequest {
  id: number;
  path: string;
  resize: number;
  maxPixels: number;
}

export interface DecodeAnswer {
  id: number;
  image?: ResizedImage;
  /** Why the file is no usable image. */
  bad?: string;
  /** A defect of the program, with its stack. */
  failure?: string;
}

interface Job {
  request: DecodeRequest;
  resolve: (image: ResizedImage) => void;
  reject: (error: Error) => void;
}

interface Thread {
  worker: Worker;
  jobs: Map<number, Job>;
}

/**
 * Requests for each thread that a caller does well to have under way: enough that no thread runs dry
 * while the caller's own thread is busy, few enough that their results fit into memory.
 */
const requestsPerThread = 16;

export class DecodePool {
  readonly #threads: Thread[] = [];
  readonly #count: number;
  #nextId = 0;
  #failure: Error | undefined;

  /** @param threads 0 decodes in the caller's thread. They are started when first needed. */
  constructor(threads: number) {
    this.#count = threads;
  }

  /** How many requests a caller should have under way. */
  get capacity(): number {
    return this.#count === 0 ? 2 : this.#count * requestsPerThread;
  }

  /**
   * A file as resize × resize pixels. Each thread takes its requests in order.
   * @throws BadImageError with the reason; WorkError where a thread died.
   */
  async read(path: string, resize: number, maxPixels: number): Promise<ResizedImage> {
    if (this.#count === 0) return readResized(path, resize, maxPixels);
    if (this.#failure) throw this.#failure;
    return new Promise((resolve, reject) => {
      const request = { id: this.#nextId++, path, resize, maxPixels };
      const thread = this.#idlest();
      // A thread with work keeps the process alive; an idle one does not.
      if (thread.jobs.size === 0) thread.worker.ref();
      thread.jobs.set(request.id, { request, resolve, reject });
      thread.worker.postMessage(request);
    });
  }

  /** Ends the threads; requests under way fail. Later requests start new ones. */
  async close(): Promise<void> {
    const threads = this.#threads.splice(0);
    const error = new Error('the decoding threads were closed');
    for (const { jobs } of threads) for (const { reject } of jobs.values()) reject(error);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  /** The thread with the fewest requests; a new one while all have some and more are allowed. */
  #idlest(): Thread {
    const [first, ...others] = this.#threads;
    if (!first) return this.#start();
    const idlest = others.reduce(
      (best, thread) => (thread.jobs.size < best.jobs.size ? thread : best),
      first,
    );
    return idlest.jobs.size > 0 && this.#threads.length < this.#count ? this.#start() : idlest;
  }

  #start(): Thread {
    const worker = startThread('./decodeWorker', import.meta.url);
    const thread: Thread = { worker, jobs: new Map() };
    worker.unref();
    worker.on('message', (answer: DecodeAnswer) => {
      this.#settle(thread, answer);
    });
    worker.on('error', (error) => {
      this.#died(thread, error instanceof Error ? error.message : String(error));
    });
    worker.on('exit', (code) => {
      this.#died(thread, `exit code ${code}`);
    });
    this.#threads.push(thread);
    return thread;
  }

  #settle(thread: Thread, { id, image, bad, failure }: DecodeAnswer): void {
    const job = thread.jobs.get(id);
    thread.jobs.delete(id);
    if (thread.jobs.size === 0) thread.worker.unref();
    if (image) job?.resolve(image);
    else if (bad !== undefined) job?.reject(new BadImageError(bad));
    else job?.reject(new Error(failure));
  }

  /** A thread that ends unasked takes its requests with it: nothing is tried again behind the scenes. */
  #died(thread: Thread, reason: string): void {
    const position = this.#threads.indexOf(thread);
    if (position < 0) return;
    this.#threads.splice(position, 1);
    const jobs = [...thread.jobs.values()];
    this.#failure = new WorkError({
      where: jobs[0]?.request.path ?? 'a decoding thread',
      expected: 'a decoding thread that goes on',
      got: `its end (${reason})`,
      hint: 'fewer threads need less memory: set workers to 1, or to 0 for none',
    });
    for (const { reject } of jobs) reject(this.#failure);
  }
}
