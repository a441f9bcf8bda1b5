/** Writes a `.safetensors` file of matrices whose rows come a few at a time, in memory that stays flat. */
import { WorkError } from '../util/index.ts';
import { layOut, type SafetensorsLayout } from './safetensorsLayout.ts';
import { WholeFile } from './wholeFile.ts';

/**
 * Matrices [rows, columns] of float32 whose number of rows is known before the first of them and whose
 * values are appended row by row. The file is in place, whole, after `commit`, and nothing is left of it
 * after `abandon`.
 */
export class SafetensorsRows {
  readonly #file: WholeFile;
  readonly #rows: number;
  #columns: ReadonlyMap<string, number> = new Map();
  #layout: SafetensorsLayout | undefined;
  #written = 0;

  private constructor(file: WholeFile, rows: number) {
    this.#file = file;
    this.#rows = rows;
  }

  /** @throws RequestError or WorkError where nothing can be written to `path`. */
  static async create(path: string, rows: number): Promise<SafetensorsRows> {
    return new SafetensorsRows(await WholeFile.create(path), rows);
  }

  /**
   * Says what is in the file, once, before the first rows.
   * @param columns of each matrix, by name, in the file's order.
   */
  async describe(
    columns: ReadonlyMap<string, number>,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    const tensors = [...columns].map(([name, count]) => {
      return [name, { dtype: 'float32', shape: [this.#rows, count] }] as const;
    });
    this.#layout = layOut(this.#file.path, new Map(tensors), metadata);
    this.#columns = columns;
    await this.#file.write(this.#layout.header, 0);
  }

  /** Appends `count` rows to every matrix. @param values [count, columns] of each, row by row. */
  async append(count: number, values: ReadonlyMap<string, Float32Array>): Promise<void> {
    if (this.#written + count > this.#rows) {
      throw new Error(`row ${this.#written + count} of ${this.#rows}`);
    }
    for (const [name, columns] of this.#columns) {
      const place = this.#layout?.places.get(name);
      const rows = values.get(name);
      if (!place || rows?.length !== count * columns) {
        throw new Error(`${name}: ${rows?.length} values for ${count} rows of ${columns}`);
      }
      const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      await this.#file.write(bytes, place.start + this.#written * columns * 4);
    }
    this.#written += count;
  }

  /** @throws WorkError where rows are missing, or the disk is full. */
  async commit(): Promise<void> {
    if (!this.#layout || this.#written !== this.#rows) {
      throw new WorkError({
        where: this.#file.path,
        expected: `${this.#rows} rows`,
        got: `${this.#written}`,
      });
    }
    await this.#file.commit();
  }

  /** Takes back what was written. Harmless after a commit that failed. */
  async abandon(): Promise<void> {
    await this.#file.abandon();
  }
}
