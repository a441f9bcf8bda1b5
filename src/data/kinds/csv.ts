/** A table with a path and a label, or one column for each of several labels, in every row. */
import { dirname, relative, sep } from 'node:path';
import { z } from 'zod';
import { mapBounded, RequestError } from '../../util/index.ts';
import { assemble, type DataSetDraft } from '../assemble.ts';
import { type DataSet, metricOfTask, type SplitName } from '../dataSet.ts';
import { requireFolder } from '../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { problemList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { readTable, type TableRow } from '../table.ts';
import { commonKeys, nameOf, nameSchema, pathSchema, taskKeys } from './common.ts';
import { ImagePaths, type ResolvedImage } from './imagePaths.ts';
import {
  type Columns,
  findColumns,
  type LabelScheme,
  labelOf,
  labelScheme,
  splitOf,
} from './tableLabels.ts';

export const csvSchema = z.strictObject({
  kind: z.literal('csv'),
  path: pathSchema.describe('The table: CSV, TSV, JSON Lines or Parquet.'),
  root: pathSchema
    .optional()
    .describe(
      'The folder that paths in the file start from, and must stay in; by default that of the file.',
    ),
  pathColumn: nameSchema
    .optional()
    .describe('The column with the paths of the pictures; found by its name by default.'),
  labelColumn: nameSchema
    .optional()
    .describe('The column with the labels; found by its name by default.'),
  labelColumns: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe(
      'One column of 0 and 1 for each label, in place of `labelColumn`: a multi-label task.',
    ),
  labelSeparator: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What stands between the labels that a cell of `labelColumn` lists: a multi-label task.',
    ),
  groupColumn: nameSchema.optional().describe('Patient, lesion, …: never divided by a split.'),
  splitColumn: nameSchema
    .optional()
    .describe('The split that each row belongs to: train, val or test.'),
  classes: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe('The labels, in order; needed for grades that are not numbers.'),
  ...taskKeys,
  ...commonKeys,
});

type CsvSpec = z.output<typeof csvSchema>;

export const csvKind: DataSetKind<typeof csvSchema> = {
  kind: 'csv',
  description: 'a table with a path and a label column: CSV, TSV, JSON Lines or Parquet',
  schema: csvSchema,
  pathKeys: ['path', 'root'],
  open: openCsv,
};

async function openCsv(spec: CsvSpec, options: OpenOptions): Promise<DataSet> {
  const root = spec.root ?? dirname(spec.path);
  const table = await readTable(spec.path);
  await requireFolder(root, `${spec.path}: root`);
  const notes: string[] = [];
  const columns = findColumns(spec, table, notes);
  const scheme = labelScheme(spec, table, columns, notes);
  const paths = new ImagePaths(root);
  const images = await mapBounded(table.rows, 32, (row) =>
    paths.resolve(row.cells.get(columns.path) ?? ''),
  );
  const reader = new RowReader(root, table.columns.length, columns, scheme);
  if (splitSettings(spec.split).leakage === 'report') reader.allowDividedGroups();
  const samples = table.rows.flatMap((row, index) => {
    const sample = reader.read(row, images[index] ?? { fault: 'no path' });
    return sample ? [sample] : [];
  });
  if (reader.problems.length > 0) {
    throw new RequestError({
      where: spec.path,
      expected: `in every row an image inside ${root} and a known label`,
      got: problemList(reader.problems, 'fault'),
      hint: 'correct or remove these rows',
    });
  }
  const blank = columns.group ? samples.filter(({ group }) => !group).length : 0;
  if (blank > 0) notes.push(`${blank} rows without ${columns.group}: each is a group of its own`);
  const { task, classes } = scheme;
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

/** Makes samples of rows and collects what is wrong with them. */
class RowReader {
  readonly problems: string[] = [];
  readonly #root: string;
  readonly #width: number;
  readonly #columns: Columns;
  readonly #scheme: LabelScheme;
  /** Rows in which an image was first seen. */
  readonly #images = new Map<string, number>();
  /** Rows and splits in which a group was first seen. */
  readonly #groups = new Map<string, { line: number; split: SplitName }>();
  #divisible = false;

  constructor(root: string, width: number, columns: Columns, scheme: LabelScheme) {
    this.#root = root;
    this.#width = width;
    this.#columns = columns;
    this.#scheme = scheme;
  }

  /** Groups in two given splits are told when the splits are made, not here. */
  allowDividedGroups(): void {
    this.#divisible = true;
  }

  read(row: TableRow, image: ResolvedImage): DataSetDraft['samples'][number] | undefined {
    const columns = this.#columns;
    const label = labelOf(row, columns, this.#scheme);
    const split = splitOf(row, columns);
    const group = columns.group ? row.cells.get(columns.group) : undefined;
    const faults = [
      row.width === this.#width
        ? undefined
        : `${row.width} cells where the header has ${this.#width}`,
      image.fault,
      typeof label === 'string' ? label : undefined,
      split === 'unknown' ? `unknown split "${row.cells.get(columns.split ?? '')}"` : undefined,
      this.#repeated(row, image.path),
      split === 'unknown' ? undefined : this.#divided(row, group, split),
    ].filter((text) => text !== undefined);
    for (const text of faults) this.problems.push(`row ${row.line}: ${text}`);
    if (faults.length > 0 || image.path === undefined || typeof label === 'string') return;
    return {
      id: this.#idOf(image.path),
      path: image.path,
      label,
      ...(group ? { group } : {}),
      ...(split && split !== 'unknown' ? { split } : {}),
    };
  }

  #idOf(path: string): string {
    return relative(this.#root, path).split(sep).join('/');
  }

  #repeated({ line }: TableRow, path: string | undefined): string | undefined {
    if (path === undefined) return undefined;
    const earlier = this.#images.get(path);
    if (earlier !== undefined) return `the same image as row ${earlier}, ${this.#idOf(path)}`;
    this.#images.set(path, line);
    return undefined;
  }

  #divided(
    { line }: TableRow,
    group: string | undefined,
    split: SplitName | undefined,
  ): string | undefined {
    if (!group || !split || this.#divisible) return undefined;
    const earlier = this.#groups.get(group);
    if (!earlier) this.#groups.set(group, { line, split });
    if (!earlier || earlier.split === split) return undefined;
    return `${this.#columns.group} ${group} is in ${split} here and in ${earlier.split} in row ${earlier.line}`;
  }
}
