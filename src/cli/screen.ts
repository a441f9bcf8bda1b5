/** A block of lines that is redrawn in place on a terminal. */
import type { TextStream } from './progress.ts';

export interface ScreenStream extends TextStream {
  rows?: number;
}

export class Screen {
  readonly #stream: ScreenStream;
  /** Lines of the block that is on the screen. */
  #height = 0;

  constructor(stream: ScreenStream) {
    this.#stream = stream;
  }

  /** Puts `lines` in the place of those drawn before, cut to the width and height of the terminal. */
  draw(lines: readonly string[]): void {
    const { columns = 80, rows = 24 } = this.#stream;
    const room = Math.max(2, rows - 1);
    const shown =
      lines.length <= room
        ? lines
        : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`];
    const text = shown.map((line) => `${[...line].slice(0, columns - 1).join('')}\x1b[K\n`);
    const up = this.#height > 0 ? `\x1b[${this.#height}A` : '';
    this.#stream.write(`${up}${text.join('')}\x1b[J`);
    this.#height = shown.length;
  }
}
