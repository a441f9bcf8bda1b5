/**
 * Files of named arrays: NumPy's .npz in MedMNIST's keys (train_images, train_labels, val_images, …) or
 * without splits, and HDF5 with arrays of the same names or of those that the user gives.
 */
import { z } from 'zod';
import { RequestError } from '../../util/index.ts';
import { assemble, type DataSetDraft } from '../assemble.ts';
import { requireDistinct } from '../classNames.ts';
import { type DataSet, metricOfTask, type SplitName } from '../dataSet.ts';
import type { ArrayFile } from '../formats/arrayFile.ts';
import { Hdf5File } from '../formats/hdf5.ts';
import { NpzFile } from '../formats/npz.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { splitSettings } from '../splitSettings.ts';
import { type LabelColumn, labelsOfArrays } from './arrayLabels.ts';
import { type ArrayPart, findParts } from './arrayParts.ts';
import { commonKeys, nameOf, nameSchema, pathSchema, splitOfWord, taskKeys } from './common.ts';

const arrayName = z.string().min(1).optional();

const arrayKeys = {
  path: pathSchema.describe('The .npz or HDF5 file.'),
  imageArray: arrayName.describe(
    'The array of pictures; of several, one for each split, the part of their names that they have in common.',
  ),
  labelArray: arrayName.describe('The array of labels, likewise.'),
  groupArray: arrayName.describe('Patient, lesion, …: never divided by a split.'),
  splitArray: arrayName.describe('train, val or test for each picture.'),
  classes: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe('Names of the classes, in the order of their numbers.'),
  ...taskKeys,
  ...commonKeys,
};

export const npzSchema = z.strictObject({ kind: z.literal('npz'), ...arrayKeys });
export const hdf5Schema = z.strictObject({ kind: z.literal('hdf5'), ...arrayKeys });

type ArraySpec = z.output<typeof npzSchema> | z.output<typeof hdf5Schema>;

export const npzKind: DataSetKind<typeof npzSchema> = {
  kind: 'npz',
  description: 'an .npz file with the arrays of MedMNIST: train_images, train_labels, …',
  schema: npzSchema,
  pathKeys: ['path'],
  open: openArrays,
};

export const hdf5Kind: DataSetKind<typeof hdf5Schema> = {
  kind: 'hdf5',
  description: 'an HDF5 file with an array of pictures and one of labels',
  schema: hdf5Schema,
  pathKeys: ['path'],
  open: openArrays,
};

async function openArrays(spec: ArraySpec, options: OpenOptions): Promise<DataSet> {
  const file =
    spec.kind === 'npz'
      ? await NpzFile.open(spec.path, options)
      : await Hdf5File.open(spec.path, options);
  try {
    return await readArrays(file, spec, options);
  } finally {
    file.close();
  }
}

async function readArrays(
  file: ArrayFile,
  spec: ArraySpec,
  options: OpenOptions,
): Promise<DataSet> {
  const notes: string[] = [];
  const parts = findParts(file, spec, notes);
  const columns: LabelColumn[] = [];
  for (const { labels } of parts) {
    const { shape } = await file.describe(labels);
    columns.push({ name: labels, shape, values: await file.values(labels) });
  }
  const { labels, classes, task } = labelsOfArrays(columns, spec, file.path);
  requireDistinct(classes, `${file.path}: classes`);
  const samples: DataSetDraft['samples'] = [];
  for (const [index, part] of parts.entries()) {
    samples.push(...(await samplesOf(file, part, labels[index] ?? [])));
  }
  return assemble(
    {
      name: spec.name ?? nameOf(spec.path),
      kind: spec.kind,
      root: spec.path,
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

async function samplesOf(
  file: ArrayFile,
  part: ArrayPart,
  labels: readonly (number | number[])[],
): Promise<DataSetDraft['samples']> {
  const { shape, reference } = await file.pictures(part.images);
  const where = `${file.path}: ${part.images}`;
  if (shape.count !== labels.length) {
    throw new RequestError({
      where,
      expected: `as many pictures as ${part.labels} has labels, ${labels.length}`,
      got: String(shape.count),
    });
  }
  const groups = await valuesOf(file, part.groups, shape.count);
  const splits = (await valuesOf(file, part.splits, shape.count))?.map((value) =>
    splitOfWord(value),
  );
  const unknown = splits?.indexOf(undefined) ?? -1;
  if (unknown >= 0) {
    throw new RequestError({
      where: `${file.path}: ${part.splits}`,
      expected: 'train, val or test for each picture',
      got: `something else for row ${unknown}`,
    });
  }
  return labels.map((label, row) => {
    const split: SplitName | undefined = splits?.[row] ?? part.split;
    const group = groups?.[row];
    return {
      id: `${part.split ?? part.images}/${row}`,
      path: reference(row),
      label,
      ...(group === undefined || group === '' ? {} : { group }),
      ...(split ? { split } : {}),
    };
  });
}

async function valuesOf(
  file: ArrayFile,
  name: string | undefined,
  count: number,
): Promise<string[] | undefined> {
  if (name === undefined) return undefined;
  const values = await file.values(name);
  if (values.length === count) return values.map(String);
  throw new RequestError({
    where: `${file.path}: ${name}`,
    expected: `one value for each of ${count} pictures`,
    got: `${values.length}`,
  });
}
