/** `carryover data check`, once its code is needed. */
import { resolve } from 'node:path';
import {
  type CheckResult,
  checkData,
  checkPage,
  type DataReport,
  encodeSheet,
  type Histogram,
} from '../../data/index.ts';
import { availableCores } from '../../tensor/index.ts';
import { RequestError, writeFileWhole } from '../../util/index.ts';
import type { Output, Table } from '../output.ts';
import type { Progress } from '../progress.ts';
import { stopOnSignals } from '../signals.ts';
import { dataEntry } from './entry.ts';
import type { CheckFlags } from './flags.ts';

/** Decoding threads: more than this wait for the disk. */
const MOST_WORKERS = 8;

export async function check(argument: string, flags: CheckFlags, output: Output): Promise<void> {
  const spec = dataEntry(argument, flags);
  const { resize, size = Math.max(1, Math.round((resize * 7) / 8)) } = flags;
  if (size > resize) {
    throw new RequestError({
      where: '--size',
      expected: `at most --resize, ${resize}`,
      got: String(size),
    });
  }
  using stop = stopOnSignals();
  let label = '';
  let progress: Progress | undefined;
  const result = await checkData(spec, {
    splitSeed: flags.splitSeed,
    ...(flags.splits === undefined ? {} : { splitsFile: resolve(flags.splits) }),
    resize,
    size,
    workers: flags.workers ?? Math.min(availableCores(), MOST_WORKERS),
    images: flags.images,
    cache: flags.cache,
    sheet: flags.html !== undefined || flags.sheet !== undefined,
    signal: stop.signal,
    onProgress: (work, done, total) => {
      if (!progress || label !== work) progress = output.progress(work);
      label = work;
      progress.update({ done, total });
    },
  });
  output.endProgress();
  print(result.report, output);
  await writeFiles(result, flags, output);
  output.document(result.report);
  if (result.exitCode !== 0) process.exitCode = result.exitCode;
}

async function writeFiles(
  { report, sheet }: CheckResult,
  flags: CheckFlags,
  output: Output,
): Promise<void> {
  if (flags.html !== undefined) {
    await writeFileWhole(resolve(flags.html), await checkPage(report, sheet));
    output.note(`written: ${flags.html}`);
  }
  if (flags.sheet === undefined) return;
  if (sheet) {
    await writeFileWhole(resolve(flags.sheet), await encodeSheet(sheet));
    output.note(`written: ${flags.sheet}`);
  } else output.warn(`${flags.sheet} is not written: there is no picture to show`);
}

function print(report: DataReport, output: Output): void {
  const { name, data, root, samples, task, metric, groups } = report;
  output.line(`${name ?? data}${root === undefined ? '' : ` (${root})`}`);
  if (samples !== undefined) {
    const what = task === undefined ? 'without labels' : `${task}, judged by ${metric}`;
    const parts = [counted(samples, 'sample'), what];
    if (groups) parts.push(`${groups.count} groups, the largest of ${groups.largest}`);
    output.line(parts.join('; '));
  }
  if (report.classes.length > 0) {
    output.line();
    output.table(classTable(report));
  }
  printImages(report, output);
  printDuplicates(report, output);
  for (const note of report.notes) output.line(`note: ${note}`);
  for (const warning of report.warnings) output.line(`warning: ${warning}`);
  for (const error of report.errors) output.line(`error: ${error}`);
  const { errors, warnings } = report;
  output.line(`${counted(errors.length, 'error')}, ${counted(warnings.length, 'warning')}`);
}

function classTable({ classes, splits, samples, task }: DataReport): Table {
  const places = (['train', 'val', 'test', 'unused'] as const).filter(
    (place) => splits && (place !== 'unused' || splits.sizes.unused > 0),
  );
  return {
    columns: [task === 'multilabel' ? 'label' : 'class', 'all', ...places],
    rows: [
      ...classes.map((one) => [
        one.name,
        one.samples,
        ...places.map((place) => one.splits?.[place] ?? 0),
      ]),
      ['(samples)', samples, ...places.map((place) => splits?.sizes[place] ?? 0)],
    ],
  };
}

function printImages({ images, splits }: DataReport, output: Output): void {
  if (!images) return;
  const { width, height, mean, std, resize } = images;
  const range = ({ least, median, greatest }: typeof width): string =>
    least === greatest ? String(least) : `${least}–${greatest} (median ${median})`;
  const counts = (values: Histogram): string =>
    values.map(({ value, images: count }) => `${value}: ${count}`).join(', ');
  const shown = (values: readonly number[]): string =>
    values.map((value) => value.toFixed(4)).join(' ');
  output.line();
  output.line(`images: ${images.readable} readable, ${images.unreadable.length} not`);
  if (images.readable > 0) {
    output.line(`width: ${range(width)}; height: ${range(height)}`);
    output.line(`sizes: ${counts(images.sizes)}`);
    output.line(`channels: ${counts(images.channels)}`);
    output.line(`bits: ${counts(images.bits)}`);
    output.line(`formats: ${counts(images.formats)}`);
    const which = splits ? 'training split' : 'all images';
    output.line(`${which} at ${resize} px: mean ${shown(mean)}, deviation ${shown(std)}`);
  }
}

function printDuplicates({ duplicates, nearDuplicates }: DataReport, output: Output): void {
  const most = 20;
  const rest = (count: number): string[] => (count > most ? [`and ${count - most} more`] : []);
  const lines = (title: string, list: string[]): void => {
    if (list.length === 0) return;
    output.line();
    output.line(`${title}: ${list.length}`);
    for (const line of [...list.slice(0, most), ...rest(list.length)]) output.line(`  ${line}`);
  };
  const where = (splits: readonly string[], labelsDiffer: boolean): string =>
    `${splits.length > 0 ? ` (${splits.join(', ')})` : ''}${labelsDiffer ? ', different labels' : ''}`;
  lines(
    'byte-identical files',
    duplicates.map(
      ({ ids, splits, labelsDiffer }) => `${ids.join(' = ')}${where(splits, labelsDiffer)}`,
    ),
  );
  lines(
    'nearly identical pictures',
    nearDuplicates.map(
      ({ first, second, splits, labelsDiffer }) =>
        `${first} ~ ${second}${where(splits, labelsDiffer)}`,
    ),
  );
  output.line();
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
