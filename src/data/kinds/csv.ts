/** A CSV file with a path and a label, or one column for each of several labels, in every row. */
import { access } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { z } from 'zod';
import { nearestNames, RequestError } from '../../util/index.ts';
import { assemble } from '../assemble.ts';
import { orderClasses, requireDistinct, taskOfClasses } from '../classNames.ts';
import { type DataSet, type DataTask, metricOfTask, type SplitName } from '../dataSet.ts';
import { imageExtensions, kindOf, requireFolder } from '../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { mapBounded } from '../parallel.ts';
import { problemList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { findColumn, readTable, type Table, type TableRow } from '../table.ts';
import { commonKeys, nameOf, pathSchema, splitOfWord, taskKeys } from './common.ts';

export const csvSchema = z.strictObject({
  kind: z.literal('csv'),
  /** The CSV file. */
  path: pathSchema,
  /** The folder that paths in the file start from, and must stay in; by default that of the file. */
  root: pathSchema.optional(),
  pathColumn: z.string().min(1).optional(),
  labelColumn: z.string().min(1).optional(),
  /** One column of 0 and 1 for each label, in place of `labelColumn`: a multi-label task. */
  labelColumns: z.array(z.string().min(1)).min(1).optional(),
  /** Patient, lesion, …: never divided by a split. */
  groupColumn: z.string().min(1).optional(),
  /** The split that each row belongs to: train, val or test. */
  splitColumn: z.string().min(1).optional(),
  /** The labels, in order; needed for grades that are not numbers. */
  classes: z.array(z.string().min(1)).min(1).optional(),
  ...taskKeys,
  ...commonKeys,
});

type CsvSpec = z.output<typeof csvSchema>;

export const csvKind: DataSetKind<typeof csvSchema> = {
  kind: 'csv',
  description: 'a CSV file with a path and a label column',
  schema: csvSchema,
  pathKeys: ['path', 'root'],
  open: openCsv,
};

const pathNames = [
  ...['path', 'file', 'filename', 'filepath', 'image_path', 'image', 'image_name', 'image_file'],
  ...['image_id', 'img', 'img_path', 'id_code'],
];
const labelNames = [
  ...['label', 'class', 'diagnosis', 'target', 'dx', 'category', 'grade', 'level', 'y'],
  ...['class_name', 'label_name', 'ground_truth'],
];
const groupNames = ['group', 'group_id', 'patient', 'patient_id', 'subject', 'subject_id'];
const caseNames = ['lesion_id', 'case_id', 'study_id'];
const splitColumnNames = ['split', 'subset', 'partition', 'set'];

interface Columns {
  path: string;
  /** One for a class, several for labels. */
  labels: string[];
  group?: string;
  split?: string;
}

async function openCsv(spec: CsvSpec, options: OpenOptions): Promise<DataSet> {
  const root = spec.root ?? dirname(spec.path);
  const table = await readTable(spec.path);
  await requireFolder(root, `${spec.path}: root`);
  const notes: string[] = [];
  const columns = findColumns(spec, table, notes);
  const { classes, task } = classesOf(spec, table, columns);
  const problems: { line: number; text: string }[] = [];
  const fault = (row: TableRow, text: string): void => {
    problems.push({ line: row.line, text: `row ${row.line}: ${text}` });
  };
  const resolved = await mapBounded(table.rows, 32, (row) =>
    resolveImage(root, row.cells.get(columns.path) ?? ''),
  );
  const firstUse = new Map<string, number>();
  const samples = table.rows.flatMap((row, index) => {
    const image = resolved[index] ?? { fault: 'no path' };
    const label = labelOf(row, columns, classes, task);
    const split = splitOf(row, columns);
    const faults = [
      row.width === table.columns.length
        ? undefined
        : `${row.width} cells where the header has ${table.columns.length}`,
      image.fault,
      typeof label === 'string' ? label : undefined,
      split === 'unknown' ? `unknown split "${row.cells.get(columns.split ?? '')}"` : undefined,
    ].filter((text) => text !== undefined);
    if (image.path !== undefined) {
      const earlier = firstUse.get(image.path);
      if (earlier === undefined) firstUse.set(image.path, row.line);
      else faults.push(`the same image as row ${earlier}, ${relative(root, image.path)}`);
    }
    for (const text of faults) fault(row, text);
    if (faults.length > 0 || image.path === undefined || typeof label === 'string') return [];
    const group = columns.group ? row.cells.get(columns.group) : undefined;
    return [
      {
        id: relative(root, image.path).split(sep).join('/'),
        path: image.path,
        label,
        ...(group ? { group } : {}),
        ...(split && split !== 'unknown' ? { split } : {}),
      },
    ];
  });
  if (problems.length > 0) {
    throw new RequestError({
      where: spec.path,
      expected: `in every row an image inside ${root} and a known label`,
      got: problemList(
        problems.map(({ text }) => text),
        'fault',
      ),
      hint: 'correct or remove these rows',
    });
  }
  const blank = columns.group ? samples.filter(({ group }) => !group).length : 0;
  if (blank > 0) notes.push(`${blank} rows without ${columns.group}: each is a group of its own`);
  return assemble(
    {
      name: spec.name ?? nameOf(spec.path),
      kind: 'csv',
      root,
      task,
      metric: spec.metric ?? metricOfTask(task),
      classes,
      samples,
      split: splitSettings(spec.split),
      notes,
    },
    options,
  );
}

function findColumns(spec: CsvSpec, table: Table, notes: string[]): Columns {
  if (spec.labelColumn !== undefined && spec.labelColumns !== undefined) {
    throw new RequestError({
      where: `${spec.path}: labelColumn`,
      expected: 'labelColumn or labelColumns',
      got: 'both',
    });
  }
  if (spec.task === 'multilabel' && spec.labelColumns === undefined) {
    throw new RequestError({
      where: `${spec.path}: labelColumns`,
      expected: 'the columns of 0 and 1 of a multi-label task',
      got: 'nothing',
      hint: `set labelColumns to some of ${table.columns.join(', ')}`,
    });
  }
  const path = findColumn(table, 'pathColumn', spec.pathColumn, pathNames, true) ?? '';
  const labels = spec.labelColumns
    ? spec.labelColumns.map((name) => findColumn(table, 'labelColumns', name, [], true) ?? '')
    : [findColumn(table, 'labelColumn', spec.labelColumn, labelNames, true) ?? ''];
  const group = findColumn(
    table,
    'groupColumn',
    spec.groupColumn,
    [...groupNames, ...caseNames],
    false,
  );
  const named = findColumn(table, 'splitColumn', spec.splitColumn, splitColumnNames, false);
  // A column that is merely called "set" may be anything: taken only where every row says a split.
  const saysSplits = table.rows.every(({ cells }) => splitOfWord(cells.get(named ?? '') ?? ''));
  const split = spec.splitColumn !== undefined || saysSplits ? named : undefined;
  const guessed = [
    spec.pathColumn === undefined ? `path from "${path}"` : undefined,
    spec.labelColumn === undefined && !spec.labelColumns ? `label from "${labels[0]}"` : undefined,
    spec.groupColumn === undefined && group ? `groups from "${group}"` : undefined,
    spec.splitColumn === undefined && split ? `splits from "${split}"` : undefined,
  ].filter((text) => text !== undefined);
  if (guessed.length > 0) notes.push(`columns found by name: ${guessed.join(', ')}`);
  return { path, labels, ...(group ? { group } : {}), ...(split ? { split } : {}) };
}

function classesOf(
  spec: CsvSpec,
  table: Table,
  columns: Columns,
): { classes: string[]; task: DataTask } {
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
  const values = table.rows.map(({ cells }) => cells.get(column) ?? '').filter(Boolean);
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
  return { classes, task: spec.task ?? taskOfClasses(classes.length) };
}

/** The label of a row, or a text that says what is wrong with it. */
function labelOf(
  row: TableRow,
  columns: Columns,
  classes: readonly string[],
  task: DataTask,
): number | number[] | string {
  if (task === 'multilabel') {
    const values = columns.labels.map((name) => flagOf(row.cells.get(name) ?? ''));
    const bad = columns.labels.find((_, index) => values[index] === undefined);
    if (bad === undefined) return values.map((value) => value ?? 0);
    return `"${row.cells.get(bad)}" in column ${bad}, where 0 or 1 was expected`;
  }
  const text = row.cells.get(columns.labels[0] ?? '') ?? '';
  if (text === '') return 'no label';
  const index = classes.indexOf(text);
  if (index >= 0) return index;
  const near = nearestNames(text, classes);
  return `unknown label "${text}"${near.length > 0 ? ` (nearest: ${near.join(', ')})` : ''}`;
}

/** 0 or 1; an empty cell is 0. */
function flagOf(text: string): 0 | 1 | undefined {
  if (text === '' || /^(0(\.0*)?|false|no)$/i.test(text)) return 0;
  return /^(1(\.0*)?|true|yes)$/i.test(text) ? 1 : undefined;
}

function splitOf(row: TableRow, columns: Columns): SplitName | 'unknown' | undefined {
  if (columns.split === undefined) return undefined;
  return splitOfWord(row.cells.get(columns.split) ?? '') ?? 'unknown';
}

/** The file that a cell means: as written, or with an image's ending added. Never outside `root`. */
async function resolveImage(
  root: string,
  cell: string,
): Promise<{ path: string; fault?: undefined } | { path?: undefined; fault: string }> {
  if (cell === '') return { fault: 'no path' };
  const written = cell.replaceAll('\\', '/');
  const path = normalize(isAbsolute(written) ? written : join(root, written));
  const inside = relative(root, path);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    return { fault: `a path outside ${root}: ${cell}` };
  }
  const kind = await kindOf(path);
  if (kind === 'file') return { path };
  for (const extension of imageExtensions) {
    if (await exists(path + extension)) return { path: path + extension };
  }
  return { fault: kind === 'folder' ? `a folder, ${cell}` : `missing file ${cell}` };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
