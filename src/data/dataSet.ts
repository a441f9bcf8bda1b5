/** What a data set is to the rest of the program, whatever it looks like on disk. */
import { RequestError } from '../util/index.ts';

/** What is to be predicted: one of several classes, of two, any number of labels, or a grade. */
export type DataTask = 'multiclass' | 'binary' | 'multilabel' | 'ordinal';
export type DataMetric = 'kappa' | 'recall' | 'auc';
export type SplitName = 'train' | 'val' | 'test';

export const dataTasks = ['multiclass', 'binary', 'multilabel', 'ordinal'] as const;
export const dataMetrics = ['kappa', 'recall', 'auc'] as const;
export const splitNames = ['train', 'val', 'test'] as const;

export interface Sample {
  /** Unique in the data set; the path relative to its root, or the id of the official list. */
  id: string;
  /** Absolute path of the image. */
  path: string;
  /** Class index; for a multi-label task one 0 or 1 for each label. */
  label: number | number[];
  /** Patient, lesion or whatever a split must not divide. */
  group?: string;
  /** The split that the data set itself puts the sample in. */
  split?: SplitName;
  /** SHA-256 of the file's bytes, in hex; `unreadable: <reason>` where they cannot be read. */
  hash: string;
}

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
        add(position, value);
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
