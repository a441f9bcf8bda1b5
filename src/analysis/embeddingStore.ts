/**
 * Embeddings of many taps over a split, collected batch by batch. What exceeds the memory budget waits in
 * temporary files, one a tap, until it is asked for.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Embeddings } from './neighbours.ts';

const DEFAULT_BUDGET = 2 ** 30;

interface Column {
  width: number;
  rows: number;
  /** In memory, after what is in the file. */
  chunks: Float32Array[];
  file?: number;
  bytesInFile: number;
}

export class EmbeddingStore {
  readonly #budget: number;
  readonly #columns = new Map<string, Column>();
  #bytes = 0;
  #folder: string | undefined;

  /** @param budget bytes that are kept in memory. */
  constructor(budget = DEFAULT_BUDGET) {
    this.#budget = budget;
  }

  /** Adds rows of `width` numbers to the column called `key`. */
  append(key: string, values: Float32Array, width: number): void {
    const column = this.#columns.get(key) ?? { width, rows: 0, chunks: [], bytesInFile: 0 };
    this.#columns.set(key, column);
    column.chunks.push(values);
    column.rows += values.length / width;
    this.#bytes += values.byteLength;
    if (this.#bytes > this.#budget) this.#spill();
  }

  /** All rows of a column, in the order in which they came. */
  read(key: string): Embeddings {
    const column = this.#columns.get(key);
    if (!column) throw new Error(`no embeddings ${key}`);
    const { width, rows, chunks, file, bytesInFile } = column;
    const values = new Float32Array(rows * width);
    if (file !== undefined) {
      const bytes = new Uint8Array(values.buffer, 0, bytesInFile);
      let done = 0;
      while (done < bytesInFile) {
        const read = readSync(file, bytes, done, Math.min(bytesInFile - done, 2 ** 30), done);
        if (read === 0) throw new Error(`the temporary file of ${key} was cut off`);
        done += read;
      }
    }
    let offset = bytesInFile / values.BYTES_PER_ELEMENT;
    for (const chunk of chunks) {
      values.set(chunk, offset);
      offset += chunk.length;
    }
    return { values, rows, width };
  }

  /** Whether any rows came under this name. */
  has(key: string): boolean {
    return this.#columns.has(key);
  }

  dispose(): void {
    for (const { file } of this.#columns.values()) if (file !== undefined) closeSync(file);
    this.#columns.clear();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  #spill(): void {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'carryover-embeddings-'));
    let number = 0;
    for (const column of this.#columns.values()) {
      column.file ??= openSync(join(this.#folder, String(number)), 'wx+');
      number++;
      for (const { buffer, byteOffset, byteLength } of column.chunks) {
        const bytes = new Uint8Array(buffer, byteOffset, byteLength);
        let done = 0;
        while (done < byteLength) {
          const place = column.bytesInFile + done;
          done += writeSync(column.file, bytes, done, byteLength - done, place);
        }
        column.bytesInFile += byteLength;
      }
      column.chunks = [];
    }
    this.#bytes = 0;
  }
}
