/**
 * ISIC 2019, in its official layout: ISIC_2019_Training_GroundTruth.csv (one-hot over 8 or 9
 * diagnoses), ISIC_2019_Training_Input/ (or train/), and where present
 * ISIC_2019_Training_Metadata.csv, whose lesion_id keeps the pictures of a lesion in one split
 * (METHODS: data sets).
 */
import { join } from 'node:path';
import { z } from 'zod';
import { RequestError } from '../../util/index.ts';
import { assemble } from '../assemble.ts';
import type { DataSet } from '../dataSet.ts';
import { kindOf, listImages, requireFolder } from '../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { problemList, shortList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { findColumn, readTable, type Table } from '../table.ts';
import { commonKeys, firstFolder, pathSchema, publishedNote } from './common.ts';
import { ImageIndex } from './imageIndex.ts';

export const isic2019Schema = z.strictObject({
  kind: z.literal('isic2019'),
  path: pathSchema.describe('The folder with the official ground-truth file and picture folder.'),
  metadata: pathSchema
    .optional()
    .describe('The metadata file, where it is not beside the ground truth.'),
  ...commonKeys,
});

export const isic2019Kind: DataSetKind<typeof isic2019Schema> = {
  kind: 'isic2019',
  description: 'ISIC 2019 as published: ground-truth CSV and picture folder',
  schema: isic2019Schema,
  pathKeys: ['path', 'metadata'],
  open: openIsic2019,
};

const truthFile = 'ISIC_2019_Training_GroundTruth.csv';
const metadataFile = 'ISIC_2019_Training_Metadata.csv';
const imageFolders = ['ISIC_2019_Training_Input', 'train'];

/** Labelled pictures of the whole data set. */
const published = 25_331;

async function openIsic2019(
  spec: z.output<typeof isic2019Schema>,
  options: OpenOptions,
): Promise<DataSet> {
  const root = spec.path;
  await requireFolder(root, `isic2019:${root}`);
  const table = await readTable(join(root, truthFile));
  const classes = diagnosesOf(table);
  const folder = await firstFolder(root, imageFolders, `isic2019:${root}`);
  const notes: string[] = [];
  const index = new ImageIndex((await listImages(folder)).images);
  const lesions = await readLesions(root, spec.metadata, notes);
  const problems: string[] = [];
  const rowOfImage = new Map<string, number>();
  const samples = table.rows.flatMap(({ line, cells }) => {
    const id = cells.get('image') ?? '';
    const flags = classes.map((name) => Number(cells.get(name) || Number.NaN));
    const positives = flags.flatMap((flag, position) => (flag === 1 ? [position] : []));
    const valid = flags.every((flag) => flag === 0 || flag === 1) && positives.length === 1;
    const { path, fault } = index.find(id);
    const earlier = path === undefined ? undefined : rowOfImage.get(path);
    if (!valid) problems.push(`row ${line}: not a single 1 among 0 for ${id || 'no image'}`);
    if (earlier !== undefined)
      problems.push(`row ${line}: the same image as row ${earlier}, ${id}`);
    if (fault !== undefined) problems.push(`row ${line}: ${fault}`);
    if (!valid || path === undefined || earlier !== undefined) return [];
    rowOfImage.set(path, line);
    const group = lesions?.get(id);
    return [{ id, path, label: positives[0] ?? 0, ...(group ? { group } : {}) }];
  });
  if (problems.length > 0) {
    throw new RequestError({
      where: table.path,
      expected: 'in every row an image of the picture folder and one diagnosis',
      got: problemList(problems, 'fault'),
      hint: 'complete the download, or remove these rows',
    });
  }
  notes.push(publishedNote(samples.length, published, 'pictures'));
  const unlisted = index.unlisted(new Set(rowOfImage.keys()));
  if (unlisted.length > 0) {
    notes.push(`${unlisted.length} pictures without a row were left aside: ${shortList(unlisted)}`);
  }
  return assemble(
    {
      name: spec.name ?? 'isic2019',
      kind: 'isic2019',
      root,
      task: 'multiclass',
      metric: 'recall',
      classes,
      samples,
      split: splitSettings(spec.split),
      notes,
    },
    options,
  );
}

/** The diagnoses of the header: all its columns but `image`. */
function diagnosesOf(table: Table): string[] {
  findColumn(table, 'image', 'image', [], true);
  const classes = table.columns.filter((name) => name !== 'image');
  if (classes.length !== 8 && classes.length !== 9) {
    throw new RequestError({
      where: table.path,
      expected: 'the column image and 8 or 9 diagnoses (MEL, NV, BCC, AK, BKL, DF, VASC, SCC, UNK)',
      got: table.columns.join(', '),
      hint: 'use the official ground-truth file',
    });
  }
  return classes;
}

/** The lesion of each image, where it is known. */
async function readLesions(
  root: string,
  given: string | undefined,
  notes: string[],
): Promise<Map<string, string> | undefined> {
  const path = given ?? join(root, metadataFile);
  if (given === undefined && (await kindOf(path)) !== 'file') {
    notes.push(`no ${metadataFile}: pictures of one lesion may lie in different splits`);
    return undefined;
  }
  const table = await readTable(path);
  findColumn(table, 'image', 'image', [], true);
  findColumn(table, 'lesion_id', 'lesion_id', [], true);
  const lesions = new Map<string, string>();
  for (const { cells } of table.rows) {
    const lesion = cells.get('lesion_id');
    if (lesion) lesions.set(cells.get('image') ?? '', lesion);
  }
  return lesions;
}
