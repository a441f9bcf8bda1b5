/**
 * What a command prints: results on stdout, everything else on stderr. Under `--json` stdout
 * carries exactly one JSON document and all text for people goes to stderr.
 */
import type { Command } from 'commander';
import { createProgress, type Progress, type TextStream } from './progress.ts';
import type { ScreenStream } from './screen.ts';

export interface Table {
  columns: string[];
  /** One list of cells a row, as long as `columns`. `undefined` prints as an empty cell. */
  rows: (string | number | undefined)[][];
}

export interface OutputSettings {
  json: boolean;
  stdout?: TextStream;
  stderr?: TextStream;
}

export class Output {
  /** True under `--json`. */
  readonly json: boolean;
  readonly #stdout: TextStream;
  readonly #stderr: TextStream;
  #progress: Progress | undefined;
  #documentWritten = false;

  constructor({ json, stdout = process.stdout, stderr = process.stderr }: OutputSettings) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** True once the JSON document is out. */
  get documentWritten(): boolean {
    return this.#documentWritten;
  }

  /** Where lines of the result go, for what redraws itself. */
  get people(): ScreenStream {
    return this.json ? this.#stderr : this.#stdout;
  }

  /** A line of the result, for people: stdout, or stderr under `--json`. */
  line(text = ''): void {
    this.#aroundProgress(() => (this.json ? this.#stderr : this.#stdout).write(`${text}\n`));
  }

  /** A line about the work rather than its result: always stderr. */
  note(text: string): void {
    this.#aroundProgress(() => this.#stderr.write(`${text}\n`));
  }

  /** A warning: `warning: …` on stderr. */
  warn(text: string): void {
    this.note(`warning: ${text}`);
  }

  /** A table in aligned columns; a column of numbers is right-aligned. */
  table(table: Table): void {
    for (const row of formatTable(table)) this.line(row);
  }

  /**
   * The command's one machine-readable document. Written under `--json`, ignored otherwise, so that
   * a command may call it whatever the mode.
   * @throws Error when called twice: a document that is not alone cannot be parsed.
   */
  document(value: unknown): void {
    if (!this.json) return;
    if (this.#documentWritten) throw new Error('a second JSON document on stdout');
    this.#documentWritten = true;
    this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Progress on stderr: a bar on a terminal, a line now and then otherwise. One at a time. */
  progress(label: string): Progress {
    this.#progress?.end();
    const progress = createProgress(label, this.#stderr, () => {
      if (this.#progress === progress) this.#progress = undefined;
    });
    this.#progress = progress;
    return progress;
  }

  /** Ends a progress bar that is still open, so that what follows starts on a line of its own. */
  endProgress(): void {
    this.#progress?.end();
  }

  #aroundProgress(write: () => void): void {
    this.#progress?.hide();
    write();
    this.#progress?.show();
  }
}

/** The lines of a table: header, rule, rows, two spaces between columns. */
export function formatTable({ columns, rows }: Table): string[] {
  const cells = rows.map((row) => columns.map((_, index) => formatCell(row[index])));
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const right = columns.map((_, index) => {
    const present = rows.map((row) => row[index]).filter((cell) => cell !== undefined);
    return present.length > 0 && present.every((cell) => typeof cell === 'number');
  });
  const join = (row: string[]): string =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return right[index] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [join(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(join)];
}

function formatCell(cell: string | number | undefined): string {
  return cell === undefined ? '' : String(cell);
}

const outputs = new WeakMap<Command, Output>();

function rootOf(command: Command): Command {
  let root = command;
  while (root.parent) root = root.parent;
  return root;
}

/** Makes `output` the one that every command of `program` prints through. */
export function setOutput(program: Command, output: Output): void {
  outputs.set(rootOf(program), output);
}

/** The output of the running program; a command's action calls it with the command that it gets last. */
export function outputOf(command: Command): Output {
  const root = rootOf(command);
  let output = outputs.get(root);
  if (!output) {
    output = new Output({ json: command.optsWithGlobals<{ json?: boolean }>().json === true });
    outputs.set(root, output);
  }
  return output;
}
