/** What a check of a data set finds; also its JSON document. */
import type { DataMetric, DataTask, SplitName } from '../dataSet.ts';

/** A split's name, or that a subset of the training split leaves the sample out. */
export type SplitPlace = SplitName | 'unused';

export interface ClassReport {
  name: string;
  /** Samples of the class, or with the label. */
  samples: number;
  /** Of them in each split; absent where no splits could be made. */
  splits?: Record<SplitPlace, number>;
}

/** How many images have a value, from the most common on. */
export type Histogram = { value: string; images: number }[];

export interface ImageReport {
  readable: number;
  unreadable: { id: string; reason: string }[];
  /** Pixels of a side. */
  width: { least: number; median: number; greatest: number };
  height: { least: number; median: number; greatest: number };
  sizes: Histogram;
  channels: Histogram;
  bits: Histogram;
  formats: Histogram;
  /** Of the training split after resizing, by channel, from 0 to 1; empty where it has no image. */
  mean: number[];
  std: number[];
  /** Pixels of a side to which images were resized for the figures above. */
  resize: number;
}

/** Byte-identical files. */
export interface DuplicateReport {
  ids: string[];
  splits: SplitPlace[];
  /** True where they do not all carry the same label. */
  labelsDiffer: boolean;
}

export interface NearDuplicateReport {
  first: string;
  second: string;
  /** Bits of 64 in which their perceptual hashes differ. */
  distance: number;
  /** Of their brightness. */
  correlation: number;
  splits: SplitPlace[];
  labelsDiffer: boolean;
}

export interface DataReport {
  format: 1;
  /** As the user named it. */
  data: string;
  name?: string;
  kind?: string;
  root?: string;
  task?: DataTask;
  metric?: DataMetric;
  /** See `DataSet.identity`. */
  identity?: string;
  samples?: number;
  /** Patients, lesions, …; absent where none are known. */
  groups?: { count: number; largest: number; withoutGroup: number };
  classes: ClassReport[];
  splits?: { seed: number; sizes: Record<SplitPlace, number> };
  images?: ImageReport;
  duplicates: DuplicateReport[];
  nearDuplicates: NearDuplicateReport[];
  /** What must be put right before the data can be used. */
  errors: string[];
  /** What deserves a look. */
  warnings: string[];
  /** What was found and assumed. */
  notes: string[];
}
