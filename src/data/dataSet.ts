/** What a data set is to the rest of the program, whatever it looks like on disk. */
import { RequestError } from '../util/index.ts';

/** What is to be predicted: one of several classes, of two, any number of labels, or a grade. */
export type DataTask = 'multiclass' | 'binary' | 'multilabel' | 'ordinal';
export type DataMetric = 'kappa' | 'recall' | 'auc';
export type SplitName = 'train' | 'val' | 'test';

export const dataTasks = ['multiclass', 'binary', 'multilabel', 'ordinal'] as const;
export const dataMetrics = ['kappa', 'recall', 'auc'] as const;
export const splitNames = ['train', 'val', 'test'] as const;

/** The value of a label that nobody knows: left out of losses and metrics. */
export const unknownLabel = -1;

export interface Sample {
  /** Unique in the data set; the path relative to its root, or the id of the official list. */
  id: string;
  /** Absolute path of the image; of one in a larger file, with a selection after it (`images/reference.ts`). */
  path: string;
  /** Class index; for a multi-label task one 0, 1 or {@link unknownLabel} for each label. */
  label: number | number[];
  /** Patient, lesion or whatever a split must not divide. */
  group?: string;
  /** The split that the data set itself puts the sample in. */
  split?: SplitName;
  /** SHA-256 of the file's bytes, in hex; `unreadable: <reason>` where they cannot be read. */
  hash: string;
}

/** A part of the training split, by its share or by its number of samples. */
export type TrainingSubset = { fraction: number } | { samples: number };

/** How splits are made where the data set does not bring its own. */
export interface SplitSettings {
  /** Parts of training, validation and test; they are scaled to a sum of 1. */
  ratios: readonly [number, number, number];
  /**
   * `balanced`: stratified by class, or grouped where there are groups. `released-code`: the order of
   * Python's `random.Random(42).shuffle`, as the paper's released code draws APTOS and ISIC.
   */
  method: 'balanced' | 'released-code';
  /** What a group or a byte-identical file in two splits is: an error, or a note. */
  leakage: 'error' | 'report';
  /** Cross-validation: the samples in `of` parts, of which number `at` (from 0) is the test split. */
  fold?: { at: number; of: number };
  /** How much of the training split is used; all of it where absent. */
  subset?: TrainingSubset;
}

export interface DataSet {
  name: string;
  kind: string;
  /** Absolute path of the folder that holds the images. */
  root: string;
  task: DataTask;
  metric: DataMetric;
  /** Names of classes or labels, in order of their index. */
  classes: string[];
  samples: Sample[];
  split: SplitSettings;
  /** What a user should know: classes without samples, files left aside, columns that were guessed. */
  notes: string[];
  /** SHA-256 over the images' contents, labels, groups, given splits, classes and task. */
  identity: string;
}

/** The metric that METHODS gives a task. */
export function metricOfTask(task: DataTask): DataMetric {
  return task === 'ordinal' ? 'kappa' : task === 'multiclass' ? 'recall' : 'auc';
}

/** Whether the data set says what its images show. Without that nothing can be trained or tested on it. */
export function isLabelled({ kind }: Pick<DataSet, 'kind'>): boolean {
  return kind !== 'images';
}

/** Whether a label of some sample is unknown: such data sets are of multi-label tasks. */
export function hasUnknownLabels({ samples }: Pick<DataSet, 'samples'>): boolean {
  return samples.some(({ label }) => typeof label !== 'number' && label.includes(unknownLabel));
}

/** How many samples each class or label has among `indices` (all by default). */
export function classCounts(dataset: DataSet, indices?: readonly number[]): number[] {
  const counts = dataset.classes.map(() => 0);
  const add = (label: number, amount: number): void => {
    counts[label] = (counts[label] ?? 0) + amount;
  };
  const chosen = indices ?? dataset.samples.keys();
  for (const index of chosen) {
    const label = dataset.samples[index]?.label;
    if (typeof label === 'number') add(label, 1);
    else
      label?.forEach((value, position) => {
        if (value === 1) add(position, 1);
      });
  }
  return counts;
}

/** The class of a sample as text: its name, or the names of its labels joined by `|`. */
export function classText(dataset: DataSet, sample: Sample): string {
  const { label } = sample;
  if (typeof label === 'number') return dataset.classes[label] ?? String(label);
  return dataset.classes.filter((_, position) => label[position] === 1).join('|');
}

/**
 * Refuses a data set of which nothing can be learnt, and one whose task contradicts its classes.
 * @throws RequestError
 */
export function checkTask(
  where: string,
  task: DataTask,
  metric: DataMetric,
  classes: number,
): void {
  const few = task === 'multilabel' ? 1 : 2;
  if (classes < few || (task === 'binary' && classes !== 2)) {
    throw new RequestError({
      where,
      expected: task === 'binary' ? 'two classes for a binary task' : `at least ${few} classes`,
      got: `${classes}`,
      hint: 'check the path, and `task` and `classes` where they are set',
    });
  }
  if (task === 'multilabel' && metric !== 'auc') {
    throw new RequestError({
      where: `${where}: metric`,
      expected: 'auc for a multi-label task',
      got: metric,
    });
  }
}
