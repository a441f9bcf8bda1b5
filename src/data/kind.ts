/** What a file of `kinds/` says of the data sets that it can open. */
import type { z } from 'zod';
import type { DataSet } from './dataSet.ts';

export interface OpenOptions {
  /** Where files' content hashes are remembered; see `defaultCacheFolder`. */
  cacheFolder?: string;
  /** Called while files are read. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** A kind of data set: its name on the command line, its settings, and how it is opened. */
export interface DataSetKind<S extends z.ZodType = z.ZodType> {
  kind: string;
  /** One line for help and errors. */
  description: string;
  /** Strict; has a `kind` literal and a `path`. */
  schema: S;
  /** The keys that hold paths, which are resolved against where the entry was written. */
  pathKeys: readonly string[];
  open: (spec: z.output<S>, options: OpenOptions) => Promise<DataSet>;
}
