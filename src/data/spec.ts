/** How a user names a data set: `kind:path` on the command line, or an entry with settings. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { validate } from '../results/index.ts';
import { nearestNames, RequestError } from '../util/index.ts';
import type { DataSet } from './dataSet.ts';
import { kindOf } from './imageFiles.ts';
import type { OpenOptions } from './kind.ts';
import { describeKinds, type KindName, kindAliases, kinds } from './registry.ts';
import { trainingSubset } from './splitSettings.ts';

/** An entry of any kind, strict. Paths as the user wrote them; see {@link parseDataSpec}. */
export const dataSpecSchema = z.discriminatedUnion('kind', [
  kinds.folder.schema,
  kinds.csv.schema,
  kinds.aptos2019.schema,
  kinds['cbis-ddsm'].schema,
  kinds.isic2019.schema,
  kinds.chexpert.schema,
  kinds['patch-camelyon'].schema,
  kinds.npz.schema,
  kinds.hdf5.schema,
  kinds.images.schema,
]);

const size = z.union([z.int().positive(), z.literal('all')]);

/** The subset keys as a study file has them: lists make one data set of each size. */
const axisKeys = {
  fraction: z
    .union([z.number().gt(0).max(1), z.array(z.number().gt(0).max(1)).min(1)])
    .optional()
    .describe('The share of the training split that is trained on; a list: a data set of each.'),
  nTrain: z
    .union([size, z.array(size).min(1)])
    .optional()
    .describe(
      'The number of training samples, or `all`, in place of `fraction`; a list: a data set of each.',
    ),
  n_train: z
    .union([size, z.array(size).min(1)])
    .optional()
    .describe('The same under the name that papers give it.'),
};

/** As {@link dataSpecSchema}, with lists of sizes. */
export const dataAxisSchema = z.discriminatedUnion('kind', [
  kinds.folder.schema.extend(axisKeys),
  kinds.csv.schema.extend(axisKeys),
  kinds.aptos2019.schema.extend(axisKeys),
  kinds['cbis-ddsm'].schema.extend(axisKeys),
  kinds.isic2019.schema.extend(axisKeys),
  kinds.chexpert.schema.extend(axisKeys),
  kinds['patch-camelyon'].schema.extend(axisKeys),
  kinds.npz.schema.extend(axisKeys),
  kinds.hdf5.schema.extend(axisKeys),
  kinds.images.schema.extend(axisKeys),
]);

/** An entry with lists of sizes, as the user wrote it. */
export type DataAxisSpec = z.output<typeof dataAxisSchema>;

/** A data set as the user names it, with absolute paths. */
export type DataSpec = z.output<typeof dataSpecSchema>;

export interface SpecPlace {
  /** What the entry is part of, for errors: a file and key, or an option. */
  where?: string;
  /** The folder that relative paths start from; the working folder by default. */
  base?: string;
}

/**
 * An entry of a study file or a run's configuration: `{kind, path, …}`, or the text `kind:path`.
 * @throws RequestError for an unknown kind or key, or a value of the wrong type.
 */
export function parseDataSpec(
  entry: unknown,
  { where = 'data', base = process.cwd() }: SpecPlace = {},
): DataSpec {
  if (typeof entry === 'string') return parseDataArgument(entry, { where, base });
  const named = typeof entry === 'object' && entry !== null && 'kind' in entry ? entry.kind : null;
  const kind = typeof named === 'string' ? (kindAliases[named] ?? named) : named;
  if (typeof kind !== 'string' || !isKind(kind)) throw unknownKind(where, kind);
  const spec = validate(dataSpecSchemaOf(kind), Object.assign({}, entry, { kind }), { where });
  const paths = kinds[kind].pathKeys.flatMap((key) => {
    const value = Object.entries(spec).find(([name]) => name === key)?.[1];
    return typeof value === 'string' ? [[key, resolve(base, value)]] : [];
  });
  return { ...spec, ...Object.fromEntries(paths) };
}

/**
 * `kind:path`, for example `folder:pictures` or `csv:labels.csv`.
 * @param settings further keys of the entry, such as `labelColumn`.
 * @throws RequestError
 */
export function parseDataArgument(
  argument: string,
  place: SpecPlace = {},
  settings: Readonly<Record<string, unknown>> = {},
): DataSpec {
  const { where = '--data' } = place;
  const colon = argument.indexOf(':');
  const written = argument.slice(0, Math.max(colon, 0));
  const kind = tableFormats.includes(written) ? 'csv' : (kindAliases[written] ?? written);
  const path = argument.slice(colon + 1);
  if (colon < 0) {
    const known = isKind(argument);
    throw new RequestError({
      where,
      expected: 'kind:path',
      got: `"${argument}"`,
      hint: known
        ? `name the place too: ${argument}:<path>`
        : `for example ${isTableName(argument) ? 'csv' : 'folder'}:${argument}; kinds: ${kindList()}`,
    });
  }
  if (!isKind(kind)) throw unknownKind(where, kind);
  if (path === '') {
    throw new RequestError({ where, expected: `${kind}:<path>`, got: `"${argument}"` });
  }
  return parseDataSpec({ ...settings, kind, path }, { ...place, where });
}

/**
 * Lists the data set, checks every row and hashes every file (at once where nothing has changed).
 * @throws RequestError for anything in it that is wrong, all of it listed.
 */
export async function openDataSet(spec: DataSpec, options: OpenOptions = {}): Promise<DataSet> {
  trainingSubset(spec, `${spec.kind}:${spec.path}`);
  return takePart(await openKind(spec, options), spec);
}

/**
 * A data set that is open, with as much of its training split used as `spec` asks for.
 * @throws RequestError where it asks twice.
 */
export function takePart(dataset: DataSet, spec: DataSpec): DataSet {
  const wanted = trainingSubset(spec, `${spec.kind}:${spec.path}`);
  const { subset: _, ...split } = dataset.split;
  return { ...dataset, split: wanted ? { ...split, subset: wanted } : split };
}

async function openKind(spec: DataSpec, options: OpenOptions): Promise<DataSet> {
  switch (spec.kind) {
    case 'folder':
      await suggestCsv(spec.path);
      return kinds.folder.open(spec, options);
    case 'csv':
      return kinds.csv.open(spec, options);
    case 'aptos2019':
      return kinds.aptos2019.open(spec, options);
    case 'cbis-ddsm':
      return kinds['cbis-ddsm'].open(spec, options);
    case 'isic2019':
      return kinds.isic2019.open(spec, options);
    case 'chexpert':
      return kinds.chexpert.open(spec, options);
    case 'patch-camelyon':
      return kinds['patch-camelyon'].open(spec, options);
    case 'npz':
      return kinds.npz.open(spec, options);
    case 'hdf5':
      return kinds.hdf5.open(spec, options);
    case 'images':
      return kinds.images.open(spec, options);
  }
}

function dataSpecSchemaOf(kind: KindName): z.ZodType<DataSpec> {
  return kinds[kind].schema;
}

function isKind(kind: string): kind is KindName {
  return Object.hasOwn(kinds, kind);
}

function kindList(): string {
  return describeKinds()
    .map(({ kind }) => kind)
    .join(', ');
}

function unknownKind(where: string, kind: unknown): RequestError {
  const near = typeof kind === 'string' ? nearestNames(kind, Object.keys(kinds)) : [];
  return new RequestError({
    where,
    expected: `a kind of data set: ${kindList()}`,
    got: typeof kind === 'string' ? `"${kind}"` : 'none',
    hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : 'for example folder:pictures',
  });
}

/** Words for the formats of tables, all of which the kind `csv` reads. */
const tableFormats = ['table', 'tsv', 'json', 'jsonl', 'ndjson', 'parquet'];

function isTableName(path: string): boolean {
  return /\.(csv|tsv|jsonl|ndjson|parquet)$/i.test(path);
}

/** A table named as a folder is a likely slip. */
async function suggestCsv(path: string): Promise<void> {
  if (!isTableName(path) || (await kindOf(path)) !== 'file') return;
  throw new RequestError({
    where: `folder:${path}`,
    expected: 'a folder',
    got: 'a table',
    hint: `did you mean csv:${path}?`,
  });
}
