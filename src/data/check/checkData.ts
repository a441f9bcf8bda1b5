/** `carryover data check`: everything about a data set that can be known before anything is trained. */
import { CarryoverError } from '../../util/index.ts';
import { type DataSet, isLabelled } from '../dataSet.ts';
import { type ImageOptions, ImageStore } from '../images/imageStore.ts';
import { problemList } from '../problems.ts';
import { type DataSpec, openDataSet } from '../spec.ts';
import { makeSplits, type Splits } from '../splits/makeSplits.ts';
import { readSplits } from '../splits/splitFile.ts';
import { type ContactSheet, makeContactSheet } from './contactSheet.ts';
import {
  classReports,
  duplicateReports,
  groupReport,
  imageReport,
  imageWarnings,
  labelWarnings,
  nearDuplicateReports,
  placeOf,
  splitSizes,
} from './examine.ts';
import { findNearDuplicates } from './nearDuplicates.ts';
import type { DataReport } from './report.ts';

export interface CheckOptions {
  splitSeed: number;
  /** A file of splits, in place of those that the seed makes. */
  splitsFile?: string;
  /** Pixels of a side that images are resized to, and of the part that a network sees. */
  resize: number;
  size: number;
  workers: number;
  /** False: only what can be known without decoding. */
  images: boolean;
  cache?: boolean;
  cacheFolder?: string;
  maxPixels?: number;
  /** True: draw a contact sheet. */
  sheet?: boolean;
  onProgress?: (work: string, done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface CheckResult {
  report: DataReport;
  /** Absent where it was not asked for or no image could be read. */
  sheet?: ContactSheet;
  /** 0 where there are no errors. */
  exitCode: 0 | 1 | 2;
}

/**
 * Checks a data set. What is wrong with it is part of the report, not an exception.
 * @throws what is no fault of the data: an aborted signal, a defect.
 */
export async function checkData(spec: DataSpec, options: CheckOptions): Promise<CheckResult> {
  const report: DataReport = {
    format: 1,
    data: `${spec.kind}:${spec.path}`,
    classes: [],
    duplicates: [],
    nearDuplicates: [],
    errors: [],
    warnings: [],
    notes: [],
  };
  const { cacheFolder, signal, onProgress } = options;
  let dataset: DataSet;
  try {
    dataset = await openDataSet(spec, {
      cacheFolder,
      signal,
      onProgress: (done, total) => onProgress?.('reading files', done, total),
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof CarryoverError)) throw error;
    report.errors.push(error.message);
    return { report, exitCode: error.exitCode };
  }
  const splits = isLabelled(dataset) ? await trySplits(dataset, options, report) : undefined;
  describeDataSet(dataset, splits, options, report);
  const sheet = options.images ? await checkImages(dataset, splits, options, report) : undefined;
  const exitCode = report.errors.length > 0 ? 1 : 0;
  return { report, exitCode, ...(sheet ? { sheet } : {}) };
}

async function trySplits(
  dataset: DataSet,
  { splitSeed: seed, splitsFile }: CheckOptions,
  report: DataReport,
): Promise<Splits | undefined> {
  try {
    return splitsFile === undefined
      ? makeSplits(dataset, { seed })
      : await readSplits(splitsFile, dataset, { seed });
  } catch (error) {
    if (!(error instanceof CarryoverError)) throw error;
    report.errors.push(error.message);
    return undefined;
  }
}

function describeDataSet(
  dataset: DataSet,
  splits: Splits | undefined,
  { splitSeed }: CheckOptions,
  report: DataReport,
): void {
  const { name, kind, root, task, metric, identity, samples } = dataset;
  const groups = groupReport(dataset);
  Object.assign(report, { name, kind, root, identity, samples: samples.length });
  if (isLabelled(dataset)) Object.assign(report, { task, metric });
  if (groups) report.groups = groups;
  report.classes = classReports(dataset, splits);
  if (splits) report.splits = { seed: splitSeed, sizes: splitSizes(splits) };
  report.notes.push(...dataset.notes);
  report.warnings.push(...(splits?.notes ?? []));
  if (isLabelled(dataset)) report.warnings.push(...labelWarnings(dataset));
  report.duplicates = duplicateReports(dataset, placeOf(splits));
  const contradicting = report.duplicates.filter(({ labelsDiffer }) => labelsDiffer).length;
  if (contradicting > 0) {
    report.warnings.push(`${contradicting} sets of byte-identical files carry different labels`);
  }
}

async function checkImages(
  dataset: DataSet,
  splits: Splits | undefined,
  options: CheckOptions,
  report: DataReport,
): Promise<ContactSheet | undefined> {
  const { resize, workers, cache, cacheFolder, maxPixels, signal, onProgress } = options;
  const imageOptions: ImageOptions = {
    resize,
    workers,
    onBadImage: 'skip',
    cache,
    cacheFolder,
    maxPixels,
    signal,
    onProgress: (done, total) => onProgress?.('decoding images', done, total),
  };
  const store = await ImageStore.open(dataset, imageOptions);
  try {
    const all = dataset.samples.map((_, index) => index);
    const images = imageReport(dataset, store, splits?.train ?? all, resize);
    report.images = images;
    if (images.unreadable.length > 0) {
      const list = images.unreadable.map(({ id, reason }) => `${id}: ${reason}`);
      report.errors.push(problemList(list, 'unreadable image').trimEnd());
    }
    report.notes.push(...store.notes);
    report.warnings.push(...imageWarnings(dataset, store, images));
    const places = placeOf(splits);
    const { pairs, incomplete } = await findNearDuplicates(dataset, store, all);
    report.nearDuplicates = nearDuplicateReports(dataset, pairs, places);
    report.warnings.push(...nearWarnings(report, incomplete));
    if (!options.sheet || images.readable === 0) return undefined;
    return await makeContactSheet(dataset, store, splits?.train ?? all, options);
  } finally {
    await store.close();
  }
}

function nearWarnings({ nearDuplicates }: DataReport, incomplete: boolean): string[] {
  const warnings: string[] = [];
  const count = nearDuplicates.length;
  const across = nearDuplicates.filter(({ splits }) => splits.length > 1);
  const named = (list: typeof nearDuplicates): string =>
    `${list
      .slice(0, 3)
      .map(({ first, second }) => `${first} ~ ${second}`)
      .join(', ')}${list.length > 3 ? ', …' : ''}`;
  if (count > 0) warnings.push(`${count} pairs of nearly identical pictures`);
  if (across.length > 0) {
    warnings.push(`${across.length} of them lie in different splits: ${named(across)}`);
  }
  const contradicting = nearDuplicates.filter(({ labelsDiffer }) => labelsDiffer);
  if (contradicting.length > 0) {
    warnings.push(
      `${contradicting.length} of them carry different labels: ${named(contradicting)}`,
    );
  }
  if (incomplete) warnings.push('very many pictures look alike: not all pairs were searched');
  return warnings;
}
