/** The record of a run that came to its end. */
import { type RunRecord, readRunRecord } from '../results/index.ts';
import { RequestError } from '../util/index.ts';

/** A run that is finished, so that its record has all parts. */
export interface FinishedRun {
  folder: string;
  record: RunRecord;
  data: NonNullable<RunRecord['data']>;
  resolved: NonNullable<RunRecord['resolved']>;
  result: NonNullable<RunRecord['result']>;
}

/**
 * The record of a finished run.
 * @throws RequestError for a folder without a run, or one that is not finished.
 */
export async function readFinishedRun(folder: string): Promise<FinishedRun> {
  const record = await readRunRecord(folder);
  if (!record) {
    throw new RequestError({
      where: folder,
      expected: 'the folder of a run, with its run.json',
      got: 'no run.json',
      hint: 'name a folder that carryover train --out or a study has written',
    });
  }
  const { data, resolved, result, status, progress } = record;
  if (status === 'finished' && data && resolved && result) {
    return { folder, record, data, resolved, result };
  }
  throw new RequestError({
    where: folder,
    expected: 'a finished run',
    got: `one that is ${status}, at iteration ${progress.iteration} of ${progress.maxIterations}`,
    hint: 'finish it first: the command that began it goes on with it',
  });
}
