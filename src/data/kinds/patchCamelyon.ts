/**
 * PatchCamelyon, as published: six HDF5 files (x: [N, 96, 96, 3], y: [N, 1, 1, 1]), gzipped or not,
 * with the official split, and where present the table of the slides that patches were cut from
 * (METHODS: data sets).
 */
import { basename, join } from 'node:path';
import { z } from 'zod';
import { RequestError } from '../../util/index.ts';
import { assemble, type DataSetDraft } from '../assemble.ts';
import { type DataSet, type SplitName, splitNames } from '../dataSet.ts';
import { Hdf5File } from '../formats/hdf5.ts';
import { kindOf, requireFolder } from '../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { splitSettings } from '../splitSettings.ts';
import { findColumn, readTable } from '../table.ts';
import { commonKeys, pathSchema, publishedNote } from './common.ts';

export const patchCamelyonSchema = z.strictObject({
  kind: z.literal('patch-camelyon'),
  path: pathSchema.describe(
    'The folder with camelyonpatch_level_2_split_train_x.h5 and the other five files.',
  ),
  ...commonKeys,
});

export const patchCamelyonKind: DataSetKind<typeof patchCamelyonSchema> = {
  kind: 'patch-camelyon',
  description: 'PatchCamelyon as published: six .h5 or .h5.gz files',
  schema: patchCamelyonSchema,
  pathKeys: ['path'],
  open: openPatchCamelyon,
};

const officialName: Record<SplitName, string> = { train: 'train', val: 'valid', test: 'test' };
const published: Record<SplitName, number> = { train: 262_144, val: 32_768, test: 32_768 };

async function openPatchCamelyon(
  spec: z.output<typeof patchCamelyonSchema>,
  options: OpenOptions,
): Promise<DataSet> {
  const root = spec.path;
  await requireFolder(root, `patch-camelyon:${root}`);
  const files = await findFiles(root);
  const notes: string[] = [];
  const samples: DataSetDraft['samples'] = [];
  for (const split of splitNames) {
    const read = await readSplit(split, files, options);
    samples.push(...read);
    notes.push(publishedNote(read.length, published[split], `patches in ${officialName[split]}`));
  }
  if (files.size < 9) notes.push('no table of slides for some splits: patches stand alone there');
  const split = splitSettings(spec.split);
  const leakage = typeof spec.split === 'object' ? spec.split.leakage : undefined;
  return assemble(
    {
      name: spec.name ?? 'patch-camelyon',
      kind: 'patch-camelyon',
      root,
      task: 'binary',
      metric: 'auc',
      classes: ['normal', 'tumour'],
      samples,
      // The official split is what results are compared on: what is alike in it is told, no more.
      split: { ...split, leakage: leakage ?? 'report' },
      notes,
    },
    options,
  );
}

/** Files by `train x`, `train meta`, …. @throws RequestError that lists all that are missing. */
async function findFiles(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const missing: string[] = [];
  for (const split of splitNames) {
    const stem = `camelyonpatch_level_2_split_${officialName[split]}`;
    for (const part of ['x', 'y']) {
      const path = await firstFile(root, [`${stem}_${part}.h5`, `${stem}_${part}.h5.gz`]);
      if (path === undefined) missing.push(`${stem}_${part}.h5`);
      else files.set(`${split} ${part}`, path);
    }
    const meta = await firstFile(root, [`${stem}_meta.csv`]);
    if (meta !== undefined) files.set(`${split} meta`, meta);
  }
  if (missing.length === 0) return files;
  throw new RequestError({
    where: `patch-camelyon:${root}`,
    expected: 'the six HDF5 files of the official split, each as .h5 or .h5.gz',
    got: `no ${missing.join(', ')}`,
    hint: 'complete the download',
  });
}

async function firstFile(root: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    if ((await kindOf(join(root, name))) === 'file') return join(root, name);
  }
  return undefined;
}

async function readSplit(
  split: SplitName,
  files: ReadonlyMap<string, string>,
  options: OpenOptions,
): Promise<DataSetDraft['samples']> {
  const labels = await readLabels(files.get(`${split} y`) ?? '', options);
  const file = await Hdf5File.open(files.get(`${split} x`) ?? '', options);
  try {
    const { shape, reference } = await file.pictures('x');
    if (shape.count !== labels.length) {
      throw new RequestError({
        where: `${file.path}: x`,
        expected: `as many patches as there are labels, ${labels.length}`,
        got: String(shape.count),
        hint: 'download the split again',
      });
    }
    const slides = await readSlides(files.get(`${split} meta`), labels.length);
    return labels.map((label, row) => {
      const group = slides?.[row];
      return {
        id: `${split}/${row}`,
        path: reference(row),
        label,
        split,
        ...(group ? { group } : {}),
      };
    });
  } finally {
    file.close();
  }
}

async function readLabels(path: string, options: OpenOptions): Promise<number[]> {
  const file = await Hdf5File.open(path, options);
  try {
    const labels = (await file.values('y')).map(Number);
    const row = labels.findIndex((label) => label !== 0 && label !== 1);
    if (row < 0) return labels;
    throw new RequestError({
      where: `${path}: y`,
      expected: 'labels of 0 and 1',
      got: `${labels[row]} in row ${row}`,
    });
  } finally {
    file.close();
  }
}

/** The slide of each patch; patches of one slide stay together where splits are made anew. */
async function readSlides(path: string | undefined, count: number): Promise<string[] | undefined> {
  if (path === undefined) return undefined;
  const table = await readTable(path);
  const column = findColumn(table, 'wsi', 'wsi', [], true) ?? '';
  if (table.rows.length === count) return table.rows.map(({ cells }) => cells.get(column) ?? '');
  throw new RequestError({
    where: path,
    expected: `a row for each of ${count} patches`,
    got: `${table.rows.length} rows`,
    hint: `is it the table of ${basename(path)}'s split?`,
  });
}
