/** Pictures without labels: to predict, or to read features of, but not to train on. */
import { dirname, relative, sep } from 'node:path';
import { z } from 'zod';
import { assemble } from '../assemble.ts';
import type { DataSet } from '../dataSet.ts';
import { byCodePoint, kindOf, listImages, requireFolder } from '../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { shortList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { commonKeys, nameOf, pathSchema } from './common.ts';

export const imagesSchema = z.strictObject({
  kind: z.literal('images'),
  path: pathSchema.describe('A folder of images at any depth, or one image.'),
  ...commonKeys,
});

type ImagesSpec = z.output<typeof imagesSchema>;

export const imagesKind: DataSetKind<typeof imagesSchema> = {
  kind: 'images',
  description: 'images without labels, in a folder at any depth',
  schema: imagesSchema,
  pathKeys: ['path'],
  open: openImages,
};

async function openImages(spec: ImagesSpec, options: OpenOptions): Promise<DataSet> {
  const isFile = (await kindOf(spec.path)) === 'file';
  const root = isFile ? dirname(spec.path) : spec.path;
  await requireFolder(root, `images:${root}`);
  const { images, others } = isFile ? { images: [spec.path], others: [] } : await listImages(root);
  const idOf = (path: string): string => relative(root, path).split(sep).join('/');
  const notes =
    others.length > 0
      ? [
          `${others.length} files that are not images were left aside: ${shortList(others.map(idOf))}`,
        ]
      : [];
  return assemble(
    {
      name: spec.name ?? nameOf(spec.path),
      kind: 'images',
      root,
      task: 'multiclass',
      metric: 'recall',
      classes: [],
      samples: images
        .map((path) => ({ id: idOf(path), path, label: 0 }))
        .sort((a, b) => byCodePoint(a.id, b.id)),
      split: splitSettings(spec.split),
      notes,
    },
    options,
  );
}
