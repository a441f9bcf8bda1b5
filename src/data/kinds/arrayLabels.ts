/** Labels that are stored as arrays. */
import { RequestError } from '../../util/index.ts';
import { orderClasses, taskOfClasses } from '../classNames.ts';
import type { DataTask } from '../dataSet.ts';

/** One array of labels: that of all pictures, or of a split's. */
export interface LabelColumn {
  name: string;
  shape: readonly number[];
  values: readonly (number | string)[];
}

interface LabelSettings {
  task?: DataTask;
  classes?: readonly string[];
}

/**
 * Labels as class indices or, of several columns, as one 0 or 1 for each label. One column holds
 * classes; several hold a label each, or with `task: multiclass` the classes one-hot.
 * @returns for each array its labels, and the classes of all together.
 * @throws RequestError
 */
export function labelsOfArrays(
  columns: readonly LabelColumn[],
  settings: LabelSettings,
  path: string,
): { labels: (number | number[])[][]; classes: string[]; task: DataTask } {
  const widths = new Set(columns.map((column) => widthOf(column, path)));
  const [width = 1, ...others] = widths;
  if (others.length > 0) {
    throw new RequestError({
      where: path,
      expected: 'the same number of label columns in every split',
      got: [...widths].join(' and '),
    });
  }
  if (width > 1) return severalColumns(columns, width, settings, path);
  if (settings.task === 'multilabel') {
    throw new RequestError({
      where: `${path}: task`,
      expected: 'labels of several columns for a multi-label task',
      got: 'one column',
    });
  }
  return oneColumn(columns, settings, path);
}

/** Columns of a [N], [N, L] or, with axes of length 1 between, similar array. */
function widthOf({ name, shape }: LabelColumn, path: string): number {
  const [, ...rest] = shape;
  const wide = rest.filter((length) => length !== 1);
  if (shape.length > 0 && wide.length <= 1) return wide[0] ?? 1;
  throw new RequestError({
    where: `${path}: ${name}`,
    expected: 'labels of shape [N], [N, 1] or [N, labels]',
    got: `[${shape.join(', ')}]`,
  });
}

function oneColumn(
  columns: readonly LabelColumn[],
  { task, classes: given }: LabelSettings,
  path: string,
): { labels: number[][]; classes: string[]; task: DataTask } {
  for (const { name, values } of columns) {
    const row = values.findIndex((value) => typeof value === 'number' && !Number.isInteger(value));
    if (row < 0) continue;
    throw new RequestError({
      where: `${path}: ${name}`,
      expected: 'classes as whole numbers or texts',
      got: `${values[row]} in row ${row}`,
    });
  }
  const texts = columns.map(({ values }) => values.map(String));
  const found = orderClasses(texts.flat());
  // Numbers from 0 are positions in the user's list of names.
  const counted = found.every((name) => /^\d+$/.test(name));
  const names = given && !found.some((name) => given.includes(name)) ? given : undefined;
  const classes = given ? [...given] : counted ? upTo(Math.max(...found.map(Number))) : found;
  const labels = texts.map((values, position) =>
    values.map((value, row) => {
      const index = names && counted ? Number(value) : classes.indexOf(value);
      if (index >= 0 && index < classes.length) return index;
      throw new RequestError({
        where: `${path}: ${columns[position]?.name}`,
        expected: `one of the ${classes.length} classes`,
        got: `${value} in row ${row}`,
        hint: 'complete `classes`',
      });
    }),
  );
  return { labels, classes, task: task ?? taskOfClasses(classes.length) };
}

/** 0 to `highest` as names; a number so high is no class. */
function upTo(highest: number): string[] {
  return Array.from({ length: Math.min(highest, mostClasses) + 1 }, (_, index) => String(index));
}

const mostClasses = 100_000;

function severalColumns(
  columns: readonly LabelColumn[],
  width: number,
  { task, classes: given }: LabelSettings,
  path: string,
): { labels: (number | number[])[][]; classes: string[]; task: DataTask } {
  const classes = given ? [...given] : upTo(width - 1);
  if (classes.length !== width) {
    throw new RequestError({
      where: `${path}: classes`,
      expected: `a name for each of ${width} label columns`,
      got: String(classes.length),
    });
  }
  const oneHot = task === 'multiclass' || task === 'ordinal' || task === 'binary';
  const labels = columns.map(({ name, values }) =>
    Array.from({ length: values.length / width }, (_, row) => {
      const flags = values.slice(row * width, (row + 1) * width).map(Number);
      const positives = flags.flatMap((flag, index) => (flag === 1 ? [index] : []));
      const known = flags.every((flag) => flag === 0 || flag === 1);
      if (!known || (oneHot && positives.length !== 1)) {
        throw new RequestError({
          where: `${path}: ${name}`,
          expected: oneHot ? 'a single 1 among 0 in every row' : '0 and 1 alone',
          got: `${flags.join(' ')} in row ${row}`,
        });
      }
      return oneHot ? (positives[0] ?? 0) : flags;
    }),
  );
  return { labels, classes, task: task ?? 'multilabel' };
}
