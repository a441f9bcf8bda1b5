/** What a benchmark is. */
import type { Spread } from './pairing.ts';

export interface BenchmarkOptions {
  /** A Python whose torch is of the LibTorch that the addon links. */
  python: string;
  /** Turns of each program. */
  rounds: number;
  /** Only the cases whose name contains this. */
  only?: string;
  batch: number;
  /** Several batch sizes, of the benchmarks that take them. */
  batches?: readonly number[];
  /** Of the benchmarks on a GPU. */
  device?: string;
  threads: number;
  say(line: string): void;
}

/** One comparison. */
export interface Row {
  name: string;
  /** Of `ours` and `reference`. */
  unit: string;
  ours: Spread;
  reference: Spread;
  /** Ours over the reference's, above 1 when ours is better, round by round. */
  ratio: Spread;
  target: number;
  notes?: string;
}

export interface Benchmark {
  name: string;
  /** Its heading in the tables. */
  summary: string;
  /** Rows as they are measured, so that what comes later can lose none. */
  run(options: BenchmarkOptions): AsyncIterable<Row>;
  /** What is to be known of the machine beside its processor. */
  facts?(options: BenchmarkOptions): Record<string, string | number | undefined>;
}
