/** The labels and splits in a table's rows. */
import { nearestNames, RequestError } from '../../util/index.ts';
import { orderClasses, requireDistinct, taskOfClasses } from '../classNames.ts';
import type { DataTask, SplitName } from '../dataSet.ts';
import { shortList } from '../problems.ts';
import { findColumn, type Table, type TableRow } from '../table.ts';
import { listSeparator } from '../tables/cells.ts';
import { splitOfWord } from './common.ts';

/** The settings of a table that say where labels are. */
export interface LabelSettings {
  path: string;
  labelColumn?: string;
  labelColumns?: string[];
  labelSeparator?: string;
  groupColumn?: string;
  splitColumn?: string;
  pathColumn?: string;
  classes?: string[];
  task?: DataTask;
}

export interface Columns {
  path: string;
  /** One for a class or a list of labels, several for one column of 0 and 1 for each label. */
  labels: string[];
  group?: string;
  split?: string;
}

/** How the labels of a table are written, and what they are of. */
export interface LabelScheme {
  task: DataTask;
  classes: string[];
  /** Where a cell lists the names of labels: what stands between them. */
  separator?: string;
}

const pathNames = [
  ...['path', 'file', 'filename', 'filepath', 'image_path', 'image', 'image_name', 'image_file'],
  ...['image_id', 'image_index', 'img', 'img_path', 'id_code'],
];
const labelNames = [
  ...['label', 'class', 'diagnosis', 'target', 'dx', 'category', 'grade', 'level', 'y'],
  ...['class_name', 'label_name', 'ground_truth', 'labels', 'finding_labels', 'findings'],
];
const groupNames = [
  ...['group', 'group_id', 'patient', 'patient_id', 'subject', 'subject_id'],
  ...['lesion_id', 'case_id', 'study_id'],
];
const splitColumnNames = ['split', 'subset', 'partition', 'set'];

/**
 * The columns that the user named, else those found by name; what was found goes into `notes`.
 * @throws RequestError for columns that are not there.
 */
export function findColumns(spec: LabelSettings, table: Table, notes: string[]): Columns {
  if (spec.labelColumn !== undefined && spec.labelColumns !== undefined) {
    throw new RequestError({
      where: `${spec.path}: labelColumn`,
      expected: 'labelColumn or labelColumns',
      got: 'both',
    });
  }
  if (spec.task === 'multilabel' && !spec.labelColumns && !spec.labelColumn) {
    throw new RequestError({
      where: `${spec.path}: labelColumns`,
      expected: 'labelColumns of 0 and 1, or a labelColumn that lists labels, for several labels',
      got: 'nothing',
      hint: `choose from ${table.columns.join(', ')}`,
    });
  }
  const path = findColumn(table, 'pathColumn', spec.pathColumn, pathNames, true) ?? '';
  const labels = spec.labelColumns
    ? spec.labelColumns.map((name) => findColumn(table, 'labelColumns', name, [], true) ?? '')
    : [findColumn(table, 'labelColumn', spec.labelColumn, labelNames, true) ?? ''];
  const group = findColumn(table, 'groupColumn', spec.groupColumn, groupNames, false);
  const named = findColumn(table, 'splitColumn', spec.splitColumn, splitColumnNames, false);
  const split =
    spec.splitColumn !== undefined || saysSplits(table, named, notes) ? named : undefined;
  const guessed = [
    spec.pathColumn === undefined ? `path from "${path}"` : undefined,
    spec.labelColumn === undefined && !spec.labelColumns ? `label from "${labels[0]}"` : undefined,
    spec.groupColumn === undefined && group ? `groups from "${group}"` : undefined,
    spec.splitColumn === undefined && split ? `splits from "${split}"` : undefined,
  ].filter((text) => text !== undefined);
  if (guessed.length > 0) notes.push(`columns found by name: ${guessed.join(', ')}`);
  return { path, labels, ...(group ? { group } : {}), ...(split ? { split } : {}) };
}

/**
 * Whether a column that was found by its name holds splits. One that is merely called "set" may be
 * anything; but where most rows say a split, the others are slips, to be told as such: without them the
 * rows of the given test split would end up among those that are trained on.
 */
function saysSplits(table: Table, column: string | undefined, notes: string[]): boolean {
  if (column === undefined) return false;
  const cells = table.rows.map((row) => row.cells.get(column) ?? '');
  const strangers = cells.filter((cell) => splitOfWord(cell) === undefined);
  if (strangers.length * 2 <= cells.length) return true;
  const shown = shortList([...new Set(strangers)].map((cell) => `"${cell}"`));
  notes.push(
    `column "${column}" does not say train, val or test, and is not used: it has ${shown}`,
  );
  return false;
}

/**
 * Task and classes, from the settings or the labels themselves.
 * @throws RequestError where they contradict each other, or the label is rather an identifier.
 */
export function labelScheme(
  spec: LabelSettings,
  table: Table,
  columns: Columns,
  notes: string[],
): LabelScheme {
  if (spec.labelColumns) {
    if (spec.classes || (spec.task && spec.task !== 'multilabel')) {
      throw new RequestError({
        where: `${spec.path}: ${spec.classes ? 'classes' : 'task'}`,
        expected: 'a multi-label task, whose labels are the labelColumns',
        got: spec.classes ? 'classes too' : (spec.task ?? ''),
      });
    }
    requireDistinct(columns.labels, `${spec.path}: labelColumns`);
    return { classes: columns.labels, task: 'multilabel' };
  }
  const column = columns.labels[0] ?? '';
  const isList =
    spec.task === 'multilabel' ||
    (spec.task === undefined &&
      (spec.labelSeparator !== undefined || table.listColumns.has(column)));
  const separator = isList ? (spec.labelSeparator ?? listSeparator) : undefined;
  const cells = table.rows.map(({ cells: row }) => row.get(column) ?? '');
  const values = cells.flatMap((cell) => namesOf(cell, separator));
  const classes = spec.classes ?? orderClasses(values);
  requireDistinct(classes, `${spec.path}: classes`);
  if (!spec.classes && classes.length > 20 && classes.length * 2 > values.length) {
    throw new RequestError({
      where: `${spec.path}: ${column}`,
      expected: 'a label that many rows share',
      got: `${classes.length} different values in ${values.length} rows`,
      hint: `is it an identifier or a measurement? set labelColumn to one of ${table.columns.join(', ')}`,
    });
  }
  if (!spec.classes) notes.push(...doubts(classes));
  if (separator !== undefined) return { classes, task: 'multilabel', separator };
  const task = spec.task ?? taskOfClasses(classes.length);
  if (task === 'ordinal' && !spec.classes && !classes.every((name) => Number.isFinite(+name))) {
    notes.push(`grades in the order of their letters: ${classes.join(', ')} (set classes)`);
  }
  return { classes, task };
}

/** What names of classes look as if they were something else. */
function doubts(classes: readonly string[]): string[] {
  const missing = classes.filter((name) => /^(#?n\/?a|nan|null|missing|\?)$/i.test(name));
  const lists = classes.filter((name) => {
    const parts = name.split(listSeparator);
    return parts.length > 1 && parts.some((part) => classes.includes(part.trim()));
  });
  return [
    ...missing.map((name) => `"${name}" is taken for a class: remove its rows if it is none`),
    ...(lists.length > 0
      ? [`${shortList(lists)} are taken for classes: with task: multilabel they list labels`]
      : []),
  ];
}

/** The names in a cell: itself, or those that it lists. */
function namesOf(cell: string, separator: string | undefined): string[] {
  const names = separator === undefined ? [cell] : cell.split(separator);
  return names.map((name) => name.trim()).filter((name) => name !== '');
}

/** The label of a row, or a text that says what is wrong with it. */
export function labelOf(
  row: TableRow,
  columns: Columns,
  { classes, task, separator }: LabelScheme,
): number | number[] | string {
  if (task === 'multilabel' && separator === undefined) {
    const values = columns.labels.map((name) => flagOf(row.cells.get(name) ?? ''));
    const bad = columns.labels.find((_, index) => values[index] === undefined);
    if (bad === undefined) return values.map((value) => value ?? 0);
    return `"${row.cells.get(bad)}" in column ${bad}, where 0 or 1 was expected`;
  }
  const names = namesOf(row.cells.get(columns.labels[0] ?? '') ?? '', separator);
  const unknown = names.find((name) => !classes.includes(name));
  if (unknown !== undefined) {
    const near = nearestNames(unknown, classes);
    return `unknown label "${unknown}"${near.length > 0 ? ` (nearest: ${near.join(', ')})` : ''}`;
  }
  if (separator !== undefined) return classes.map((name) => (names.includes(name) ? 1 : 0));
  return names[0] === undefined ? 'no label' : classes.indexOf(names[0]);
}

/** 0 or 1; an empty cell is 0. */
function flagOf(text: string): 0 | 1 | undefined {
  if (text === '' || /^(0(\.0*)?|false|no)$/i.test(text)) return 0;
  return /^(1(\.0*)?|true|yes)$/i.test(text) ? 1 : undefined;
}

export function splitOf(row: TableRow, { split }: Columns): SplitName | 'unknown' | undefined {
  if (split === undefined) return undefined;
  return splitOfWord(row.cells.get(split) ?? '') ?? 'unknown';
}
