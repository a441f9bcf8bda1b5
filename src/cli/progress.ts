/** Progress of long work: a bar that is redrawn on a terminal, a throttled line otherwise. */

/** A stream that text can be written to; `isTTY` and `columns` as Node's terminal streams have them. */
export interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface ProgressState {
  /** Units done so far, of `total`; any unit (iterations, images, runs). */
  done: number;
  total: number;
  /** What to say beside the bar, for example the loss. */
  text?: string;
  /** Seconds that remain, where something better is known than the mean pace so far. */
  remaining?: number;
}

export interface Progress {
  update(state: ProgressState): void;
  /** Takes the bar off the screen while other text is written; `show` puts it back. */
  hide(): void;
  show(): void;
  end(): void;
}

/** Seconds between redraws on a terminal and between lines elsewhere. */
const TERMINAL_INTERVAL = 0.1;
const PLAIN_INTERVAL = 15;
const BAR_WIDTH = 24;

/** A duration in seconds as `1:02:03`, `2:03` or `0:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/**
 * Seconds that remain at the mean pace since `first`, the state at which watching began (resumed work
 * does not count as done now); `undefined` before anything was done.
 */
export function estimateRemaining(
  first: ProgressState,
  current: ProgressState,
  elapsed: number,
): number | undefined {
  const doneHere = current.done - first.done;
  if (doneHere <= 0 || elapsed <= 0) return undefined;
  return (elapsed / doneHere) * Math.max(0, current.total - current.done);
}

/**
 * @param now seconds, of any origin
 * @param onEnd called once when the progress ends
 */
export function createProgress(
  label: string,
  stream: TextStream,
  onEnd: () => void = () => {},
  now: () => number = () => performance.now() / 1000,
): Progress {
  const terminal = stream.isTTY === true;
  let first: ProgressState | undefined;
  let latest: ProgressState | undefined;
  let startedAt = now();
  // Work that is over before the first line is due prints none.
  let writtenAt = terminal ? Number.NEGATIVE_INFINITY : now();
  let lines = 0;
  let changed = false;
  let onScreen = false;
  let ended = false;

  const describe = (): string => {
    if (!first || !latest) return label;
    const elapsed = now() - startedAt;
    const remaining = latest.remaining ?? estimateRemaining(first, latest, elapsed);
    const share = latest.total > 0 ? Math.min(1, latest.done / latest.total) : 0;
    const filled = Math.round(share * BAR_WIDTH);
    const bar = terminal ? ` [${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]` : '';
    const parts = [
      `${label}${bar} ${latest.done}/${latest.total} (${Math.floor(share * 100)} %)`,
      ...(latest.text ? [latest.text] : []),
      formatDuration(elapsed),
      ...(remaining === undefined ? [] : [`ETA ${formatDuration(remaining)}`]),
    ];
    return parts.join(' · ');
  };
  const erase = (): void => {
    if (!onScreen) return;
    stream.write('\r\x1b[2K');
    onScreen = false;
  };
  const draw = (): void => {
    writtenAt = now();
    changed = false;
    if (!terminal) {
      stream.write(`${describe()}\n`);
      lines += 1;
      return;
    }
    const text = describe();
    stream.write(`\r\x1b[2K${text.slice(0, Math.max(10, (stream.columns || 80) - 1))}`);
    onScreen = true;
  };

  return {
    update(state) {
      if (ended) return;
      if (!first) {
        first = state;
        startedAt = now();
      }
      latest = state;
      changed = true;
      const finished = state.done >= state.total;
      const due = now() - writtenAt >= (terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL);
      if (due || (terminal && finished)) draw();
    },
    hide: erase,
    show() {
      if (!ended && terminal && latest) draw();
    },
    end() {
      if (ended) return;
      if (terminal) {
        erase();
      } else if (changed && lines > 0) {
        draw();
      }
      ended = true;
      onEnd();
    },
  };
}
