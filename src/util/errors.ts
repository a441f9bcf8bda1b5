/**
 * The errors that a user sees. Every one names where it happened, what was expected, what came
 * and what to do, on one line.
 */

export interface ErrorParts {
  /** The file, row, key, option or operation at fault. */
  where: string;
  expected: string;
  got: string;
  /** What the user can do about it, as a short phrase. */
  hint?: string;
}

/** One line: `<where>: expected …, got … (what to do)`. */
function formatParts({ where, expected, got, hint }: ErrorParts): string {
  return `${where}: expected ${expected}, got ${got}${hint ? ` (${hint})` : ''}`;
}

/** Base of all errors that are the input's or the machine's fault, not a defect of the program. */
export class CarryoverError extends Error {
  /** 1: the work failed; 2: the request is wrong. */
  readonly exitCode: 1 | 2;
  readonly where: string;

  constructor(parts: ErrorParts, exitCode: 1 | 2, options?: { cause?: unknown }) {
    super(formatParts(parts), options);
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.where = parts.where;
  }
}

/** The request is wrong: an option, a key, a name, a path that the user gave. Exit code 2. */
export class RequestError extends CarryoverError {
  constructor(parts: ErrorParts, options?: { cause?: unknown }) {
    super(parts, 2, options);
  }
}

/** The request was sound but the work failed: a bad image, a damaged checkpoint, a full disk. Exit code 1. */
export class WorkError extends CarryoverError {
  constructor(parts: ErrorParts, options?: { cause?: unknown }) {
    super(parts, 1, options);
  }
}

/** The code of a system's or a library's error, such as `ENOENT`; `undefined` where it has none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
