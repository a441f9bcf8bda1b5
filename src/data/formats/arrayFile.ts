/** What a file of named arrays has to say, whatever its format. */
import type { ImageShape } from './arrayImage.ts';

export interface ArrayDescription {
  shape: readonly number[];
  /** As the file's own library calls it, for errors. */
  type: string;
}

/** Pictures in an array, and how each is named for decoding. */
export interface PictureArray {
  shape: ImageShape;
  /** Reference of a row (`images/reference.ts`). */
  reference: (row: number) => string;
}

/** Every method throws a RequestError that names the file for what is damaged or of another kind. */
export interface ArrayFile {
  readonly path: string;
  /** Names of all arrays, groups of arrays before them with a slash. */
  readonly names: readonly string[];
  describe(name: string): Promise<ArrayDescription>;
  /** All values of an array, row by row: numbers, or texts. */
  values(name: string): Promise<(number | string)[]>;
  /** Makes the array's rows ready to be read one by one. */
  pictures(name: string): Promise<PictureArray>;
  close(): void;
}
