/** Settings that several kinds of data set share. */
import { basename, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { z } from 'zod';
import { RequestError } from '../../util/index.ts';
import { dataMetrics, dataTasks, type SplitName } from '../dataSet.ts';
import { kindOf } from '../imageFiles.ts';
import { splitSettingsSchema, subsetKeys } from '../splitSettings.ts';

/** Keys of every entry, besides `kind` and `path`. */
export const commonKeys = {
  name: z
    .string()
    .min(1)
    .optional()
    .describe('The name in tables and files; by default that of the folder or file.'),
  split: splitSettingsSchema
    .optional()
    .describe(
      'How samples are split where the data set brings no splits: `balanced`, `released-code`, or settings.',
    ),
  ...subsetKeys,
};

/** Keys of data sets that do not say by themselves what is to be predicted. */
export const taskKeys = {
  task: z
    .enum(dataTasks)
    .optional()
    .describe(
      'What is predicted: one class (`multiclass`, `binary`, `ordinal` grades) or several labels (`multilabel`).',
    ),
  metric: z
    .enum(dataMetrics)
    .optional()
    .describe("The metric that results are judged by; by default the task's."),
};

export const pathSchema = z.string().min(1);

/** A name as a person writes it: YAML reads grades and some other names as numbers or truth values. */
export const nameSchema = z
  .union([z.string().min(1), z.number(), z.boolean()])
  .transform((name) => String(name));

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

/** Whether all of a published data set is there, as a note. */
export function publishedNote(count: number, published: number, what: string): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  return count === published
    ? `${number(count)} ${what}, as published`
    : `${number(count)} ${what}, of ${number(published)} published`;
}

/**
 * The first of `names` that is a folder of `root`.
 * @throws RequestError where none is.
 */
export async function firstFolder(
  root: string,
  names: readonly string[],
  where: string,
): Promise<string> {
  for (const name of names) {
    if ((await kindOf(join(root, name))) === 'folder') return join(root, name);
  }
  throw new RequestError({
    where,
    expected: `the folder ${names.map((name) => `${name}/`).join(' or ')}`,
    got: `none of that name in ${root}`,
    hint: 'check the path, and that the archive was unpacked',
  });
}

/**
 * The file that a label file's cell means, whatever separators it was written with.
 * @returns undefined where it would lie outside `root`.
 */
export function pathInside(root: string, cell: string): string | undefined {
  const written = cell.replaceAll('\\', '/');
  const path = normalize(isAbsolute(written) ? written : join(root, written));
  const inside = relative(root, path);
  const outside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  return inside === '' || outside ? undefined : path;
}
