/** The common end of opening any data set: contents hashed, identity taken, duplicates told. */
import { hashText, RequestError } from '../util/index.ts';
import { checkTask, classCounts, type DataSet, isLabelled, type Sample } from './dataSet.ts';
import { fingerprintPictures } from './fingerprint.ts';
import type { OpenOptions } from './kind.ts';
import { shortList } from './problems.ts';

/** A data set before its files were read. */
export type DataSetDraft = Omit<DataSet, 'identity' | 'samples'> & {
  samples: Omit<Sample, 'hash'>[];
};

/**
 * Reads every file once for its hash and completes the data set.
 * @throws RequestError where there is nothing to learn from.
 */
export async function assemble(draft: DataSetDraft, options: OpenOptions): Promise<DataSet> {
  const where = draft.root;
  if (draft.samples.length === 0) {
    throw new RequestError({
      where,
      expected: 'images',
      got: 'none',
      hint: 'check the path and the kind of data set',
    });
  }
  if (isLabelled(draft)) checkTask(where, draft.task, draft.metric, draft.classes.length);
  const paths = draft.samples.map(({ path }) => path);
  const hashes = await fingerprintPictures(draft.root, paths, options);
  const samples = draft.samples.map((sample, index) => ({ ...sample, hash: hashes[index] ?? '' }));
  const dataset: DataSet = { ...draft, samples, identity: '' };
  const notes = [
    ...draft.notes,
    ...absentClassNotes(dataset),
    ...likeClassNotes(dataset),
    ...duplicateNotes(dataset),
  ];
  return { ...dataset, notes, identity: identityOf(dataset) };
}

function absentClassNotes(dataset: DataSet): string[] {
  const counts = classCounts(dataset);
  const absent = dataset.classes.filter((_, index) => counts[index] === 0);
  if (absent.length === 0) return [];
  return [
    `no samples of ${absent.join(', ')}: kept as ${absent.length === 1 ? 'a class' : 'classes'} of the network, left out of means over classes`,
  ];
}

/** Names that people would take for one: `Benign` and `benign`. */
function likeClassNotes({ classes }: DataSet): string[] {
  const folded = new Map<string, string[]>();
  for (const name of classes) {
    const key = name
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\s_-]+/g, ' ')
      .trim();
    folded.set(key, [...(folded.get(key) ?? []), name]);
  }
  return [...folded.values()]
    .filter(({ length }) => length > 1)
    .map((names) => `${names.map((name) => `"${name}"`).join(' and ')} are different classes`);
}

/** Byte-identical files are kept in one split; those with different labels deserve a look. */
function duplicateNotes(dataset: DataSet): string[] {
  const byHash = new Map<string, Sample[]>();
  for (const sample of dataset.samples) {
    if (sample.hash.startsWith('unreadable')) continue;
    const same = byHash.get(sample.hash);
    if (same) same.push(sample);
    else byHash.set(sample.hash, [sample]);
  }
  const duplicates = [...byHash.values()].filter((same) => same.length > 1);
  if (duplicates.length === 0) return [];
  const contradicting = duplicates.filter(
    (same) => new Set(same.map(({ label }) => String(label))).size > 1,
  );
  const example = (sets: Sample[][]): string =>
    shortList(sets.map((same) => same.map(({ id }) => id).join(' = ')));
  const notes = [
    `${duplicates.length} sets of byte-identical files, each kept within one split: ${example(duplicates)}`,
  ];
  if (contradicting.length > 0) {
    notes.push(`${contradicting.length} of them carry different labels: ${example(contradicting)}`);
  }
  return notes;
}

/** Everything of a data set that can change a result; where it lies and what it is called cannot. */
function identityOf({ task, metric, classes, samples }: DataSet): string {
  const rows = samples.map(({ hash, label, group, split }) =>
    JSON.stringify([hash, label, group ?? null, split ?? null]),
  );
  return hashText([JSON.stringify([1, task, metric, classes]), ...rows].join('\n'));
}
