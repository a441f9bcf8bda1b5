/**
 * What a measure is: what it needs, how it is run, what it writes, and how that is shown. Each measure is
 * one file; measures.ts lists them.
 */
import type { Batch, SplitName } from '../data/index.ts';
import type { RunCheckpoint } from '../eval/index.ts';
import type { EmbeddingKind, ImageModel } from '../models/index.ts';
import type { AnalysisDocument, MeasureName } from '../results/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { StoredTensor } from '../weights/index.ts';
import type { VoteWeights } from './knnVotes.ts';
import type { CkaEstimator } from './minibatchCka.ts';
import type { NetworkKey, Subject } from './subject.ts';

/** Everything that a measure can be told. A measure reads what concerns it. */
export interface MeasureOptions {
  /** The network of both runs that is looked at. */
  checkpoint: RunCheckpoint;
  /** k-NN. */
  neighbours: number;
  voteWeights: VoteWeights;
  temperature: number;
  /** Kinds of embedding behind a class token; all by default. */
  embeddings?: readonly EmbeddingKind[];
  /** Whether a linear probe stands beside k-NN. */
  probe: boolean;
  /** CKA. */
  batch: number;
  estimator: CkaEstimator;
  /** Calibration. */
  bins: number;
}

/** One batch as a reader sees it. */
export interface BatchView {
  split: SplitName;
  /** [B] positions in the data set. */
  indices: readonly number[];
  /** As in the loader's batch. */
  labels: Batch['labels'];
}

/** What a measure sees of one network during the shared pass over a split. */
export interface Reader {
  network: NetworkKey;
  split: SplitName;
  /**
   * A tap's value, the batch in parts [b, …] in order. To be read during the call only; what is computed
   * from it is freed when the call ends, unless kept.
   */
  tap?(name: string, parts: readonly Tensor[], batch: BatchView): void;
  /** Attention weights [b, heads, T, T] by their tap's name, likewise. */
  attention?(name: string, parts: readonly Tensor[], batch: BatchView): void;
  /** The images themselves, for a measure that runs the network in its own way. */
  images?(model: ImageModel, images: Tensor, batch: BatchView): void;
}

export interface Outcome {
  document: AnalysisDocument;
  /** Numbers too many for JSON, all finite. */
  arrays?: ReadonlyMap<string, StoredTensor>;
}

/** A measure at work on one subject. */
export interface Work {
  readers: readonly Reader[];
  /** Every reader of this batch has seen it. */
  batchDone?(batch: BatchView): void;
  finish(): Outcome | Promise<Outcome>;
  /** Frees what it holds, whether or not it came to an end. */
  dispose?(): void;
}

export interface TextTable {
  columns: string[];
  rows: (string | number | undefined)[][];
  notes: string[];
}

export interface Measure {
  name: MeasureName;
  summary: string;
  /** Networks that must be there for it. */
  networks(options: MeasureOptions, isPair: boolean): readonly NetworkKey[];
  /** Whether it says anything of two runs. */
  takesPair: boolean;
  begin(subject: Subject, options: MeasureOptions): Work | Promise<Work>;
  table(document: AnalysisDocument): TextTable;
}
