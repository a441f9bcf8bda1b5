/** Ctrl-C and termination: the first signal asks the work to stop at a step boundary, the second ends it. */
import { WorkError } from '../util/index.ts';

/** Exit status of a process that a signal stopped, as shells count it. */
const SIGNAL_STATUS: Record<string, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/**
 * An AbortSignal that the first SIGINT, SIGTERM, SIGHUP or SIGUSR1 aborts; its reason is an error that
 * says so. A second SIGINT or SIGTERM ends the process at once. SIGUSR1 is a cluster's word that the time
 * is nearly up, often beside a SIGTERM: it counts as neither. Dispose to hand the signals back.
 * @param onSecond what to do before the process ends at a second signal, for example kill children
 */
export function stopOnSignals(onSecond: () => void = () => {}): Disposable & {
  signal: AbortSignal;
} {
  const controller = new AbortController();
  let asked = false;
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
    } else if (asked && (name === 'SIGINT' || name === 'SIGTERM')) {
      onSecond();
      process.exit(SIGNAL_STATUS[name] ?? 1);
    }
    asked ||= name !== 'SIGUSR1';
  };
  const names: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'];
  for (const name of names) process.on(name, handler);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of names) process.off(name, handler);
    },
  };
}
