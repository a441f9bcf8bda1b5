/**
 * APTOS 2019 Blindness Detection, as published: train.csv (id_code, diagnosis 0 to 4) and
 * train_images/ (METHODS: data sets). The published test pictures carry no labels.
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
import { findColumn, readTable } from '../table.ts';
import { commonKeys, firstFolder, pathSchema, publishedNote } from './common.ts';
import { ImageIndex } from './imageIndex.ts';

export const aptos2019Schema = z.strictObject({
  kind: z.literal('aptos2019'),
  path: pathSchema.describe('The folder with train.csv and train_images/.'),
  ...commonKeys,
});

export const aptos2019Kind: DataSetKind<typeof aptos2019Schema> = {
  kind: 'aptos2019',
  description: 'APTOS 2019 as published: train.csv and train_images/',
  schema: aptos2019Schema,
  pathKeys: ['path'],
  open: openAptos2019,
};

/** Grades of diabetic retinopathy: none, mild, moderate, severe, proliferative. */
const grades = ['0', '1', '2', '3', '4'];

/** Labelled pictures of the whole data set. */
const published = 3662;

async function openAptos2019(
  spec: z.output<typeof aptos2019Schema>,
  options: OpenOptions,
): Promise<DataSet> {
  const root = spec.path;
  await requireFolder(root, `aptos2019:${root}`);
  const table = await readTable(join(root, 'train.csv'));
  const idColumn = findColumn(table, 'id_code', 'id_code', [], true) ?? '';
  const gradeColumn = findColumn(table, 'diagnosis', 'diagnosis', [], true) ?? '';
  const folder = await firstFolder(root, ['train_images', 'train'], `aptos2019:${root}`);
  const index = new ImageIndex((await listImages(folder)).images);
  const problems: string[] = [];
  const rowOfImage = new Map<string, number>();
  const samples = table.rows.flatMap(({ line, cells }) => {
    const id = cells.get(idColumn) ?? '';
    const found = index.find(id);
    const label = grades.indexOf(cells.get(gradeColumn) ?? '');
    const earlier = found.path === undefined ? undefined : rowOfImage.get(found.path);
    const faults = [
      found.fault,
      label < 0 ? `diagnosis "${cells.get(gradeColumn)}", where 0 to 4 was expected` : undefined,
      earlier === undefined ? undefined : `the same image as row ${earlier}, ${id}`,
    ].filter((text) => text !== undefined);
    problems.push(...faults.map((text) => `row ${line}: ${text}`));
    if (found.path === undefined || faults.length > 0) return [];
    rowOfImage.set(found.path, line);
    return [{ id, path: found.path, label }];
  });
  if (problems.length > 0) {
    throw new RequestError({
      where: table.path,
      expected: `in every row an image of ${folder} and a grade`,
      got: problemList(problems, 'fault'),
      hint: 'complete the download, or remove these rows',
    });
  }
  const notes = [publishedNote(samples.length, published, 'pictures')];
  const unlisted = index.unlisted(new Set(rowOfImage.keys()));
  if (unlisted.length > 0) {
    notes.push(`${unlisted.length} pictures without a row were left aside: ${shortList(unlisted)}`);
  }
  if ((await kindOf(join(root, 'test.csv'))) === 'file') {
    notes.push('test.csv has no labels: its pictures are left aside');
  }
  return assemble(
    {
      name: spec.name ?? 'aptos2019',
      kind: 'aptos2019',
      root,
      task: 'ordinal',
      metric: 'kappa',
      classes: grades,
      samples,
      split: splitSettings(spec.split, [0.7, 0.15, 0.15]),
      notes,
    },
    options,
  );
}
