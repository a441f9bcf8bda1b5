/**
 * CheXpert, in the layouts of CheXpert-v1.0 and CheXpert-v1.0-small: train.csv and valid.csv, whose
 * paths begin with the collection's name, and folders by patient and study (METHODS: data sets).
 */
import { basename, join } from 'node:path';
import { z } from 'zod';
import { mapBounded, RequestError } from '../../util/index.ts';
import { assemble, type DataSetDraft } from '../assemble.ts';
import { type DataSet, type SplitName, unknownLabel } from '../dataSet.ts';
import { kindOf, requireFolder, subfolders } from '../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { problemList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { findColumn, readTable, type TableRow } from '../table.ts';
import { commonKeys, pathInside, pathSchema, publishedNote } from './common.ts';

export const chexpertSchema = z.strictObject({
  kind: z.literal('chexpert'),
  path: pathSchema.describe(
    'The folder with train.csv, or the one that holds CheXpert-v1.0 or CheXpert-v1.0-small.',
  ),
  uncertain: z
    .enum(['zeros', 'ones', 'ignore'])
    .optional()
    .describe(
      "What an uncertain label, -1, is: 0 (as the paper's released code has it), 1, or left out.",
    ),
  views: z.enum(['all', 'frontal']).optional().describe('All pictures, or frontal ones alone.'),
  valid: z
    .enum(['leave', 'val', 'test'])
    .optional()
    .describe('The official valid.csv: left aside, or the validation or test split.'),
  ...commonKeys,
});

type ChexpertSpec = z.output<typeof chexpertSchema>;

export const chexpertKind: DataSetKind<typeof chexpertSchema> = {
  kind: 'chexpert',
  description: 'CheXpert-v1.0 or -small as published: train.csv and folders by patient',
  schema: chexpertSchema,
  pathKeys: ['path'],
  open: openChexpert,
};

const noFinding = 'No Finding';

export const chexpertLabels = [
  ...[noFinding, 'Enlarged Cardiomediastinum', 'Cardiomegaly', 'Lung Opacity', 'Lung Lesion'],
  ...['Edema', 'Consolidation', 'Pneumonia', 'Atelectasis', 'Pneumothorax', 'Pleural Effusion'],
  ...['Pleural Other', 'Fracture', 'Support Devices'],
];

const publishedRows = { 'train.csv': 223_414, 'valid.csv': 234 } as const;
type RowFile = keyof typeof publishedRows;

/** Files looked for at once. */
const concurrency = 32;

async function openChexpert(spec: ChexpertSpec, options: OpenOptions): Promise<DataSet> {
  const root = await findRoot(spec.path);
  const batches = await batchesOf(root);
  const held = spec.valid === 'val' || spec.valid === 'test' ? spec.valid : undefined;
  const notes: string[] = [];
  const samples = await readRows('train.csv', held ? 'train' : undefined);
  if (held) samples.push(...(await readRows('valid.csv', held)));
  else if ((await kindOf(join(root, 'valid.csv'))) === 'file') {
    notes.push('valid.csv is left aside (valid: val or test makes it a split)');
  }
  return assemble(
    {
      name: spec.name ?? 'chexpert',
      kind: 'chexpert',
      root,
      task: 'multilabel',
      metric: 'auc',
      classes: chexpertLabels,
      samples,
      split: splitSettings(spec.split),
      notes,
    },
    options,
  );

  async function readRows(
    file: RowFile,
    split: SplitName | undefined,
  ): Promise<DataSetDraft['samples']> {
    const table = await readTable(join(root, file));
    findColumn(table, 'Path', 'Path', [], true);
    findColumn(table, 'Frontal/Lateral', 'Frontal/Lateral', [], true);
    for (const label of chexpertLabels) findColumn(table, label, label, [], true);
    notes.push(publishedNote(table.rows.length, publishedRows[file], `rows in ${file}`));
    const kept = table.rows.filter(
      ({ cells }) => spec.views !== 'frontal' || cells.get('Frontal/Lateral') === 'Frontal',
    );
    const dropped = table.rows.length - kept.length;
    if (dropped > 0) notes.push(`${dropped} lateral views of ${file} were left aside`);
    const problems: string[] = [];
    const rowOfPath = new Map<string, number>();
    const read = await mapBounded(kept, concurrency, (row) => readRow(row));
    const result = read.flatMap(({ faults, sample }, position) => {
      const line = kept[position]?.line ?? 0;
      const earlier = sample && rowOfPath.get(sample.path);
      if (earlier !== undefined) faults.push(`the same image as row ${earlier}, ${sample?.id}`);
      else if (sample) rowOfPath.set(sample.path, line);
      problems.push(...faults.map((text) => `row ${line}: ${text}`));
      return sample && faults.length === 0 ? [{ ...sample, ...(split ? { split } : {}) }] : [];
    });
    if (problems.length === 0) return result;
    throw new RequestError({
      where: table.path,
      expected: 'in every row an image of a patient and labels of 1, 0, -1 or nothing',
      got: problemList(problems, 'fault'),
      hint: 'complete the download, or remove these rows',
    });
  }

  async function readRow(
    row: TableRow,
  ): Promise<{ faults: string[]; sample?: DataSetDraft['samples'][number] }> {
    const faults: string[] = [];
    const cell = row.cells.get('Path') ?? '';
    // The collection's own name leads each path, whatever the folder is called on this disk.
    const id = cell.replaceAll('\\', '/').replace(/^CheXpert-v1\.0[^/]*\//, '');
    const label = labelsOf(row, spec.uncertain ?? 'zeros');
    if (typeof label === 'string') faults.push(label);
    const group = /(?:^|\/)(patient\d+)\//.exec(id)?.[1];
    if (group === undefined) faults.push(`no patient in the path "${cell}"`);
    const path = await locate(root, batches, id);
    if (path === undefined) faults.push(`a path outside ${root}: ${cell}`);
    else if ((await kindOf(path)) !== 'file') faults.push(`missing file ${cell}`);
    if (path === undefined || typeof label === 'string') return { faults };
    return { faults, sample: { id, path, label, group } };
  }
}

/** The folder with train.csv: the one named, or the only collection inside it. */
async function findRoot(path: string): Promise<string> {
  await requireFolder(path, `chexpert:${path}`);
  if ((await kindOf(join(path, 'train.csv'))) === 'file') return path;
  const found: string[] = [];
  for (const name of await subfolders(path)) {
    const inside = (await kindOf(join(path, name, 'train.csv'))) === 'file';
    if (inside && name.startsWith('CheXpert')) found.push(join(path, name));
  }
  const [only, other] = found;
  if (only !== undefined && other === undefined) return only;
  throw new RequestError({
    where: `chexpert:${path}`,
    expected: 'train.csv in this folder, or in one CheXpert-v1.0 or CheXpert-v1.0-small inside it',
    got: other === undefined ? 'none' : `it in ${found.map((each) => basename(each)).join(', ')}`,
    hint: other === undefined ? 'check the path' : `name one of them, for example ${only}`,
  });
}

/**
 * Where the folders of patients lie when the download's batches were left as they come:
 * "CheXpert-v1.0 batch 2 (train 1)/patient00001/…" stands for "train/patient00001/…".
 */
async function batchesOf(root: string): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  for (const name of await subfolders(root)) {
    const part = /^CheXpert-v1\.0 batch \d+ \((train|valid)/.exec(name)?.[1];
    if (part === undefined) continue;
    for (const patient of await subfolders(join(root, name))) {
      if (/^patient\d+$/.test(patient)) {
        folders.set(`${part}/${patient}`, join(root, name, patient));
      } else if (patient === part) {
        for (const inner of await subfolders(join(root, name, part))) {
          folders.set(`${part}/${inner}`, join(root, name, part, inner));
        }
      }
    }
  }
  return folders;
}

async function locate(
  root: string,
  batches: ReadonlyMap<string, string>,
  id: string,
): Promise<string | undefined> {
  const path = pathInside(root, id);
  const [part, patient, ...rest] = id.split('/');
  const folder = batches.get(`${part}/${patient}`);
  return path !== undefined && folder !== undefined ? pathInside(folder, rest.join('/')) : path;
}

/** One value for each label, or a text that says what is wrong. */
function labelsOf(row: TableRow, uncertain: 'zeros' | 'ones' | 'ignore'): number[] | string {
  const doubtful = { zeros: 0, ones: 1, ignore: unknownLabel }[uncertain];
  const values: number[] = [];
  for (const name of chexpertLabels) {
    const text = row.cells.get(name) ?? '';
    const value = text === '' ? 0 : Number(text);
    if (value !== 0 && value !== 1 && value !== -1) {
      return `"${text}" in column ${name}, where 1, 0, -1 or nothing was expected`;
    }
    values.push(value === -1 ? doubtful : value);
  }
  // A row with no positive is one without findings (METHODS: data sets).
  if (!values.includes(1)) values[chexpertLabels.indexOf(noFinding)] = 1;
  return values;
}
