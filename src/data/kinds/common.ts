/** Settings that several kinds of data set share. */
import { basename } from 'node:path';
import { z } from 'zod';
import { dataMetrics, dataTasks, type SplitName } from '../dataSet.ts';
import { splitSettingsSchema } from '../splitSettings.ts';

/** Keys of every entry, besides `kind` and `path`. */
export const commonKeys = {
  /** The name in tables and files; by default that of the folder or file. */
  name: z.string().min(1).optional(),
  split: splitSettingsSchema.optional(),
};

/** Keys of data sets that do not say by themselves what is to be predicted. */
export const taskKeys = {
  task: z.enum(dataTasks).optional(),
  /** The metric that results are judged by; by default the task's. */
  metric: z.enum(dataMetrics).optional(),
};

export const pathSchema = z.string().min(1);

/** The name of a data set where the user gives none: the last part of its path, without ending. */
export function nameOf(path: string): string {
  return basename(path).replace(/\.[A-Za-z]{1,5}$/, '') || 'data';
}

const splitWords: Record<string, SplitName> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  dev: 'val',
  test: 'test',
  testing: 'test',
};

/** The split that a word names, in any case: `train`, `training`, `val`, `valid`, … */
export function splitOfWord(word: string): SplitName | undefined {
  return splitWords[word.trim().toLowerCase()];
}
