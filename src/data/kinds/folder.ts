/** A folder per class, as torchvision's ImageFolder; or such folders inside train/, val/ and test/. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { nearestNames, RequestError } from '../../util/index.ts';
import { assemble, type DataSetDraft } from '../assemble.ts';
import { orderClasses, requireDistinct, taskOfClasses } from '../classNames.ts';
import { type DataSet, metricOfTask, type SplitName } from '../dataSet.ts';
import {
  byCodePoint,
  imageExtensionOf,
  isLeftBehind,
  listImages,
  requireFolder,
  subfolders,
} from '../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../kind.ts';
import { problemList, shortList } from '../problems.ts';
import { splitSettings } from '../splitSettings.ts';
import { commonKeys, nameOf, nameSchema, pathSchema, splitOfWord, taskKeys } from './common.ts';

export const folderSchema = z.strictObject({
  kind: z.literal('folder'),
  path: pathSchema.describe(
    'The folder that holds the class folders, or train/, val/ and test/ with class folders inside.',
  ),
  classes: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe('Order of the classes; needed for grades that are not numbers.'),
  slice: z
    .union([z.literal('middle'), z.int().min(0)])
    .optional()
    .describe('The slice that stands for each NIfTI volume, along `axis`.'),
  axis: z
    .int()
    .min(0)
    .max(2)
    .optional()
    .describe('The axis of NIfTI volumes that `slice` counts along.'),
  ...taskKeys,
  ...commonKeys,
});

type FolderSpec = z.output<typeof folderSchema>;

export const folderKind: DataSetKind<typeof folderSchema> = {
  kind: 'folder',
  description: 'a folder per class, also inside train/, val/ and test/',
  schema: folderSchema,
  pathKeys: ['path'],
  open: openFolder,
};

/** A folder of class folders and the split that it stands for. */
interface Part {
  folder: string;
  split?: SplitName;
}

async function openFolder(spec: FolderSpec, options: OpenOptions): Promise<DataSet> {
  const root = spec.path;
  await requireFolder(root, `folder:${root}`);
  const notes: string[] = [];
  const found: { path: string; className: string; split?: SplitName }[] = [];
  const empty: string[] = [];
  const others: string[] = [];
  const names = new Set<string>();
  const loose: string[] = [];
  for (const { folder, split } of await partsOf(root)) {
    loose.push(...(await looseImages(folder)));
    for (const className of await subfolders(folder)) {
      const listing = await listImages(join(folder, className));
      names.add(className);
      others.push(...listing.others);
      if (listing.images.length === 0) empty.push(relative(root, join(folder, className)));
      for (const path of listing.images) found.push({ path, className, split });
    }
  }
  if (names.size === 0) {
    throw new RequestError({
      where: root,
      expected: 'a folder for each class',
      got: 'no folders',
      hint: 'put the images of each class into a folder of its own, or use csv:labels.csv; images:<path> takes images without labels',
    });
  }
  const classes = spec.classes ?? orderClasses(names);
  requireDistinct(classes, `${root}: classes`);
  refuseUnknown(root, names, classes);
  const filled = new Set(found.map(({ className }) => className));
  const unfilled = [...names].filter((name) => !filled.has(name));
  if (unfilled.length > 0) {
    throw new RequestError({
      where: root,
      expected: 'images in every class folder',
      got: `none in ${shortList(unfilled)}`,
      hint: 'remove the folder, or fill it',
    });
  }
  if (loose.length > 0) {
    const shown = shortList(loose.map((path) => relative(root, path)));
    notes.push(`${loose.length} images lie in no class folder and were left aside: ${shown}`);
  }
  if (empty.length > 0) notes.push(`no images in ${shortList(empty)}`);
  if (others.length > 0) {
    const shown = shortList(others.map((path) => relative(root, path)));
    notes.push(`${others.length} files that are not images were left aside: ${shown}`);
  }
  const task = spec.task ?? taskOfClasses(classes.length);
  const draft: DataSetDraft = {
    name: spec.name ?? nameOf(root),
    kind: 'folder',
    root,
    task,
    metric: spec.metric ?? metricOfTask(task),
    classes,
    samples: found
      .map(({ path, className, split }) => ({
        id: relative(root, path).split(sep).join('/'),
        path: sliceOf(path, spec),
        label: classes.indexOf(className),
        ...(split ? { split } : {}),
      }))
      .sort((a, b) => byCodePoint(a.id, b.id)),
    split: splitSettings(spec.split),
    notes,
  };
  if (task === 'multilabel') {
    throw new RequestError({
      where: `${root}: task`,
      expected: 'binary, multiclass or ordinal for a folder per class',
      got: 'multilabel',
      hint: 'list several labels for each image in a CSV file: csv:labels.csv with labelColumns',
    });
  }
  return assemble(draft, options);
}

/** The folder itself, or its train/, val/ and test/ where it has nothing else. */
async function partsOf(root: string): Promise<Part[]> {
  const names = await subfolders(root);
  const parts = names.map((name) => ({ folder: join(root, name), split: splitOfWord(name) }));
  const splits = parts.filter(({ split }) => split !== undefined);
  if (!splits.some(({ split }) => split === 'train')) return [{ folder: root }];
  if (splits.length < parts.length) {
    const strangers = names.filter((name) => splitOfWord(name) === undefined);
    throw new RequestError({
      where: root,
      expected: 'either class folders, or train/, val/ and test/ and nothing else',
      got: `train/ beside ${shortList(strangers)}`,
      hint: 'move the other folders away, or name the folder that holds the classes',
    });
  }
  const twice = splits.find(
    ({ split }, index) => splits.findIndex((other) => other.split === split) !== index,
  );
  if (twice) {
    throw new RequestError({
      where: root,
      expected: `one folder for ${twice.split}`,
      got: `several: ${names.filter((name) => splitOfWord(name) === twice.split).join(', ')}`,
    });
  }
  return splits;
}

/** Images beside the class folders, which belong to no class. */
async function looseImages(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !isLeftBehind(entry.name))
    .filter((entry) => imageExtensionOf(entry.name) !== undefined)
    .map((entry) => join(folder, entry.name))
    .sort(byCodePoint);
}

/** A picture as it is; of a volume the slice that the entry names. */
function sliceOf(path: string, { slice, axis }: FolderSpec): string {
  if (slice === undefined || !/\.nii(\.gz)?$/i.test(path)) return path;
  return `${path}#${axis === undefined ? '' : `axis=${axis}&`}slice=${slice}`;
}

/** @throws RequestError for class folders that the user's list of classes does not name. */
function refuseUnknown(root: string, names: Iterable<string>, classes: readonly string[]): void {
  const unknown = [...names].filter((name) => !classes.includes(name));
  if (unknown.length === 0) return;
  const problems = unknown.map((name) => {
    const near = nearestNames(name, classes);
    return `${name}/${near.length > 0 ? ` (nearest: ${near.join(', ')})` : ''}`;
  });
  throw new RequestError({
    where: root,
    expected: 'class folders that `classes` names',
    got: problemList(problems, 'unknown class', 'unknown classes'),
    hint: 'complete `classes`, or move the folders away',
  });
}
