/** Threads that run one module of the program and answer requests; started when first needed. */
import type { Worker } from 'node:worker_threads';
import { WorkError } from '../../util/index.ts';
import { startThread } from './startThread.ts';

/** What a thread is sent. */
export interface ThreadRequest<Request> {
  id: number;
  request: Request;
}

/** What it sends back: a result, or a defect of the program with its stack. */
export type ThreadAnswer<Result> = { id: number } & ({ result: Result } | { failure: string });

interface Job<Result> {
  /** What is told of where a thread died. */
  where: string;
  resolve: (result: Result) => void;
  reject: (error: Error) => void;
}

interface Thread<Result> {
  worker: Worker;
  jobs: Map<number, Job<Result>>;
}

export class ThreadPool<Request, Result> {
  readonly #module: string;
  readonly #importMetaUrl: string;
  readonly #most: number;
  readonly #threads: Thread<Result>[] = [];
  #nextId = 0;
  #failure: Error | undefined;

  /** @param module named as for `startThread`. @param most threads; at least 1. */
  constructor(module: string, importMetaUrl: string, most: number) {
    this.#module = module;
    this.#importMetaUrl = importMetaUrl;
    this.#most = most;
  }

  /**
   * Asks the thread with the fewest requests. Each thread takes its requests in order.
   * @param where what the request is about, for an error. @throws WorkError where a thread died.
   */
  async run(request: Request, where: string): Promise<Result> {
    if (this.#failure) throw this.#failure;
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const thread = this.#idlest();
      // A thread with work keeps the process alive; an idle one does not.
      if (thread.jobs.size === 0) thread.worker.ref();
      thread.jobs.set(id, { where, resolve, reject });
      const message: ThreadRequest<Request> = { id, request };
      thread.worker.postMessage(message);
    });
  }

  /** Ends the threads; requests under way fail. Later requests start new ones. */
  async close(): Promise<void> {
    const threads = this.#threads.splice(0);
    const error = new Error('the threads were closed');
    for (const { jobs } of threads) for (const { reject } of jobs.values()) reject(error);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  /** The thread with the fewest requests; a new one while all have some and more are allowed. */
  #idlest(): Thread<Result> {
    const [first, ...others] = this.#threads;
    if (!first) return this.#start();
    const idlest = others.reduce(
      (best, thread) => (thread.jobs.size < best.jobs.size ? thread : best),
      first,
    );
    return idlest.jobs.size > 0 && this.#threads.length < this.#most ? this.#start() : idlest;
  }

  #start(): Thread<Result> {
    const worker = startThread(this.#module, this.#importMetaUrl);
    const thread: Thread<Result> = { worker, jobs: new Map() };
    worker.unref();
    worker.on('message', (answer: ThreadAnswer<Result>) => {
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

  #settle(thread: Thread<Result>, answer: ThreadAnswer<Result>): void {
    const job = thread.jobs.get(answer.id);
    thread.jobs.delete(answer.id);
    if (thread.jobs.size === 0) thread.worker.unref();
    if ('result' in answer) job?.resolve(answer.result);
    else job?.reject(new Error(answer.failure));
  }

  /** A thread that ends unasked takes its requests with it: nothing is tried again behind the scenes. */
  #died(thread: Thread<Result>, reason: string): void {
    const position = this.#threads.indexOf(thread);
    if (position < 0) return;
    this.#threads.splice(position, 1);
    const jobs = [...thread.jobs.values()];
    this.#failure = new WorkError({
      where: jobs[0]?.where ?? 'a thread of the data set',
      expected: 'a thread that goes on',
      got: `its end (${reason})`,
      hint: 'fewer threads need less memory: set workers to 1, or to 0 for none',
    });
    for (const { reject } of jobs) reject(this.#failure);
  }
}
