/** Ctrl-C and termination: the first signal asks the work to stop at a step boundary, the second ends it. */
import { WorkError } from '../util/index.ts';

/** Exit status of a process that a signal stopped, as shells count it. */
const SIGNAL_STATUS: Record<string, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/**
 * An AbortSignal that the first SIGINT, SIGTERM or SIGHUP aborts; its reason is an error that says so.
 * A second SIGINT or SIGTERM ends the process at once. Dispose to hand the signals back.
 * @param onSecond what to do before the process ends at a second signal, for example kill children
 */
export function stopOnSignals(onSecond: () => void = () => {}): Disposable & {
  signal: AbortSignal;
} {
  const controller = new AbortController();
  const handler = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      controller.abort(
        new WorkError({
          where: 'carryover',
          expected: 'to work to the end',
          got: name,
          hint: 'the same command goes on from here',
        }),
      );
    } else if (name !== 'SIGHUP') {
      onSecond();
      process.exit(SIGNAL_STATUS[name] ?? 1);
    }
  };
  const names: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of names) process.on(name, handler);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of names) process.off(name, handler);
    },
  };
}
