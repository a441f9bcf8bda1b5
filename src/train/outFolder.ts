/** Whether a run may be written into a folder. */
import { readdir } from 'node:fs/promises';
import { errorCode, explainWriteFailure, RequestError } from '../util/index.ts';

/** Folders that a run has itself; its locks and what is hidden apart. */
const ownFolders = ['resume', 'analysis'];

/**
 * A run is not mixed into a folder of other things: among class folders of images, its own would be taken
 * for a class by the next run.
 * @throws RequestError for a folder without a run that has folders of other names in it.
 */
export async function refuseForeignFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    if (errorCode(error) === 'ENOTDIR') {
      throw new RequestError({
        where: folder,
        expected: 'a folder for the run, new or its own',
        got: 'a file, or a place inside one',
        hint: 'choose another --out',
      });
    }
    throw explainWriteFailure(folder, error);
  });
  if (entries.some(({ name }) => name === 'run.json')) return;
  const stranger = entries.find(
    (entry) =>
      entry.isDirectory() &&
      !ownFolders.includes(entry.name) &&
      !entry.name.startsWith('.') &&
      !entry.name.endsWith('.lock'),
  );
  if (stranger === undefined) return;
  throw new RequestError({
    where: folder,
    expected: 'a folder for the run, new, empty or its own',
    got: `one without run.json that holds ${stranger.name}/`,
    hint: 'choose another --out, for example a folder inside it',
  });
}
