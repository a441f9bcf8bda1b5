/**
 * FID between the source domain and every data set of a study, taken once and kept in the study's folder:
 * `analysis/fid-<data>.json`. Parts of a data set have the distance of the whole.
 */
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DataSpec } from '../data/index.ts';
import { type FidDocument, fidSchema } from '../results/index.ts';
import { errorCode, hashFile, hashText, RequestError, writeJson } from '../util/index.ts';
import { type CommandEnd, runCommand } from './command.ts';
import type { ChildProgram } from './executors/child.ts';
import type { DataFacts } from './plan.ts';
import type { FidRequest, Study } from './study.ts';

/** One side of a distance. */
type Side = { spec: DataSpec } | { statistics: string };

export interface FidJob {
  /** Name of the data set, of the whole where the study has parts. */
  data: string;
  spec: DataSpec;
  /** Name of the source domain. */
  source: string;
  side: Side;
  /** Hash of the images, extractor and weights. */
  key: string;
  /** Hash of the same without the data set: of the source's statistics. */
  sourceKey: string;
  extractor: FidRequest['extractor'];
  weights: string;
  /** The document. */
  path: string;
}

const folderOf = (folder: string): string => join(folder, 'analysis');

/** Where a distance is kept; the source is named where a study has several. */
function fidPath(folder: string, data: string, source?: string): string {
  const from = source === undefined ? '' : `-from-${source}`;
  return join(folderOf(folder), `fid-${data}${from}.json`);
}

/**
 * The distances that the study asks for and that are not there, or were taken of other images or with
 * another extractor.
 * @throws RequestError for weights or statistics that cannot be read
 */
export async function dueFid(
  study: Study,
  folder: string,
  facts: ReadonlyMap<string, DataFacts>,
): Promise<FidJob[]> {
  const { fid } = study;
  if (!fid) return [];
  const weights = await hashOf(study, fid.weights, 'weights');
  const jobs: FidJob[] = [];
  const sides = sidesOf(study, fid);
  const targets: { data: string; spec: DataSpec; identity: string }[] = [];
  for (const { name: data, spec } of wholesOf(study, fid)) {
    const identity = facts.get(data)?.identity ?? (await openIdentity(spec));
    targets.push({ data, spec, identity });
  }
  for (const { name: source, side } of sides) {
    const sourceIdentity = await identityOf(study, source, side, facts);
    const sourceKey = hashText([fid.extractor, weights, sourceIdentity].join('\n')).slice(0, 16);
    for (const { data, spec, identity } of targets) {
      const key = hashText([sourceKey, identity].join('\n')).slice(0, 16);
      const path = fidPath(folder, data, sides.length > 1 ? source : undefined);
      if ((await readDocument(path))?.key === key) continue;
      const { extractor, weights: file } = fid;
      jobs.push({ data, spec, source, side, key, sourceKey, extractor, weights: file, path });
    }
  }
  return jobs;
}

/** The source domains: what the study asks for, else each source that has data. */
function sidesOf({ sources }: Study, { source }: FidRequest): { name: string; side: Side }[] {
  if (source) {
    const path = 'spec' in source ? source.spec.path : source.statistics;
    return [{ name: basename(path).replace(/\.npz$/i, ''), side: source }];
  }
  return sources.flatMap(({ name, spec }) => (spec ? [{ name, side: { spec } }] : []));
}

/** The data sets that are asked for; of parts, the whole. */
function wholesOf(
  { data }: Study,
  { data: asked }: FidRequest,
): { name: string; spec: DataSpec }[] {
  const wholes = new Map<string, DataSpec>();
  for (const { name, partOf, spec } of data) {
    if (asked && !asked.includes(name) && !(partOf && asked.includes(partOf))) continue;
    const { nTrain: _, n_train: __, fraction: ___, ...whole } = spec;
    wholes.set(partOf ?? name, whole);
  }
  return [...wholes].map(([name, spec]) => ({ name, spec }));
}

async function identityOf(
  study: Study,
  name: string,
  side: Side,
  facts: ReadonlyMap<string, DataFacts>,
): Promise<string> {
  if ('statistics' in side) return hashOf(study, side.statistics, 'source');
  return facts.get(name)?.identity ?? openIdentity(side.spec);
}

async function openIdentity(spec: DataSpec): Promise<string> {
  const { openDataSet } = await import('../data/index.ts');
  return (await openDataSet(spec)).identity;
}

async function hashOf(study: Study, path: string, key: string): Promise<string> {
  try {
    return await hashFile(path);
  } catch (error) {
    throw new RequestError(
      {
        where: `${study.file}: analyses: fid.${key}`,
        expected: 'a file that can be read',
        got: `${path} (${errorCode(error) ?? String(error)})`,
      },
      { cause: error },
    );
  }
}

export interface RunFidOptions {
  folder: string;
  program: ChildProgram;
  /** As a run's `training.device`. */
  device: string;
  signal?: AbortSignal;
  onOutcome?: (job: FidJob, end: CommandEnd) => void;
}

/** Takes the distances one after another; the source's statistics are taken once and kept. */
export async function runFid(
  jobs: readonly FidJob[],
  { folder, program, device, signal, onOutcome }: RunFidOptions,
): Promise<CommandEnd[]> {
  const place = folderOf(folder);
  await mkdir(place, { recursive: true });
  const ends: CommandEnd[] = [];
  for (const job of jobs) {
    if (signal?.aborted) break;
    const end = await runOne(job, place, { program, device, signal });
    ends.push(end);
    onOutcome?.(job, end);
  }
  return ends;
}

async function runOne(
  { data, spec, source, side, sourceKey, extractor, weights, key, path }: FidJob,
  place: string,
  { program, device, signal }: Pick<RunFidOptions, 'program' | 'device' | 'signal'>,
): Promise<CommandEnd> {
  const statistics = join(place, `fid-source-${source}-${sourceKey}.npz`);
  const entries = ['source', 'target'].map((role) => join(place, `.fid-${data}-${role}.json`));
  const [sourceEntry = '', targetEntry = ''] = entries;
  const out = join(place, `.fid-${data}.out.json`);
  const kept = await exists(statistics);
  await writeJson(targetEntry, spec);
  if ('spec' in side) await writeJson(sourceEntry, side.spec);
  const left = 'statistics' in side ? side.statistics : kept ? statistics : sourceEntry;
  const args = ['analyze', 'fid', '--source', left, '--target', targetEntry];
  const saving = left === sourceEntry ? ['--save-stats', statistics] : [];
  const settings = ['--extractor', extractor, '--weights', weights, '--device', device];
  try {
    const end = await runCommand(
      program,
      [...args, ...settings, ...saving, '--out', out],
      join(place, 'console.log'),
      signal,
    );
    if (end.kind !== 'done') return end;
    const document = await readDocument(out);
    if (!document) return { kind: 'failed', reason: `${out}: no result` };
    await writeJson(path, { ...document, source: { ...document.source, name: source }, key });
    return end;
  } finally {
    for (const file of [...entries, out]) await rm(file, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readDocument(path: string): Promise<FidDocument | undefined> {
  try {
    return fidSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/**
 * The distance of a data set of a study to its source domain (to the first of several), where it was
 * taken.
 * @param data its name; of a part, the whole's
 */
export async function readFrechet(
  folder: string,
  data: string,
  sources: readonly string[] = [],
): Promise<{ distance: number; extractor: string; source: string } | undefined> {
  const [first] = sources;
  const document =
    (await readDocument(fidPath(folder, data))) ??
    (first === undefined ? undefined : await readDocument(fidPath(folder, data, first)));
  if (document?.distance === undefined) return undefined;
  const { distance, extractor, source } = document;
  return { distance, extractor, source: source.name ?? 'source' };
}
