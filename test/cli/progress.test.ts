import { describe, expect, it } from 'vitest';
import { createProgress, estimateRemaining, formatDuration } from '../../src/cli/progress.ts';

/** A progress on a stream that records what is written, with a clock that the test sets. */
function record(isTTY: boolean) {
  const written: string[] = [];
  const clock = { seconds: 0 };
  const stream = { write: (text: string) => written.push(text), isTTY, columns: 60 };
  const progress = createProgress(
    'training',
    stream,
    () => {},
    () => clock.seconds,
  );
  return { progress, written, clock };
}

describe('progress', () => {
  it('prints a throttled line with an ETA where there is no terminal', () => {
    const { progress, written, clock } = record(false);
    for (let second = 0; second <= 50; second++) {
      clock.seconds = second;
      progress.update({ done: second, total: 120, text: `loss ${second}` });
    }
    progress.end();
    expect(written).toEqual([
      'training 15/120 (12 %) · loss 15 · 0:15 · ETA 1:45\n',
      'training 30/120 (25 %) · loss 30 · 0:30 · ETA 1:30\n',
      'training 45/120 (37 %) · loss 45 · 0:45 · ETA 1:15\n',
      'training 50/120 (41 %) · loss 50 · 0:50 · ETA 1:10\n',
    ]);
  });

  it('prints nothing for work that is over at once', () => {
    const { progress, written } = record(false);
    progress.update({ done: 1, total: 1 });
    progress.end();
    expect(written).toEqual([]);
  });

  it('redraws one line on a terminal, cut to its width, and takes it away', () => {
    const { progress, written, clock } = record(true);
    progress.update({ done: 1, total: 4, text: 'x'.repeat(100) });
    clock.seconds = 1;
    progress.update({ done: 2, total: 4 });
    progress.end();
    const erase = '\r\x1b[2K';
    expect(written[0]?.startsWith(`${erase}training [======`)).toBe(true);
    expect(written[0]?.length).toBe(erase.length + 59);
    expect(written.at(-1)).toBe(erase);
    expect(written.join('')).not.toContain('\n');
  });

  it('does not count resumed work as done now', () => {
    expect(estimateRemaining({ done: 900, total: 1000 }, { done: 950, total: 1000 }, 50)).toBe(50);
    expect(estimateRemaining({ done: 900, total: 1000 }, { done: 900, total: 1000 }, 5)).toBe(
      undefined,
    );
  });

  it('writes durations', () => {
    expect([3, 63, 3723].map(formatDuration)).toEqual(['0:03', '1:03', '1:02:03']);
  });
});
