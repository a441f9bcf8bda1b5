/** The body of a thread of a `ThreadPool`. */
import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer, ThreadRequest } from './threadPool.ts';

export interface ServeOptions<Result> {
  /** Requests under way at once, for work that waits for files. */
  atOnce: number;
  /** Memory of a result that is handed over rather than copied. */
  transfer?: (result: Result) => ArrayBuffer[];
}

/** Answers each request of the pool with what `work` makes of it, in order. */
export function serve<Request, Result>(
  work: (request: Request) => Result | Promise<Result>,
  { atOnce, transfer = () => [] }: ServeOptions<Result>,
): void {
  if (!parentPort) throw new Error('to be started as a worker thread');
  const port = parentPort;
  const waiting: ThreadRequest<Request>[] = [];
  let underWay = 0;
  const answer = async ({ id, request }: ThreadRequest<Request>): Promise<void> => {
    try {
      const result = await work(request);
      const message: ThreadAnswer<Result> = { id, result };
      port.postMessage(message, transfer(result));
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const message: ThreadAnswer<Result> = { id, failure };
      port.postMessage(message);
    }
  };
  const proceed = (): void => {
    while (underWay < atOnce) {
      const next = waiting.shift();
      if (!next) return;
      underWay++;
      void answer(next).then(() => {
        underWay--;
        proceed();
      });
    }
  };
  port.on('message', (request: ThreadRequest<Request>) => {
    waiting.push(request);
    proceed();
  });
}
