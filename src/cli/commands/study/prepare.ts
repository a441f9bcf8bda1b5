/** What the sub-commands of `carryover study` share. */
import type { Output } from '../../output.ts';

export interface StudyOptions {
  out?: string;
  parallel?: number;
  threads?: number;
}

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
export const loadStudies = () => import('../../../study/index.ts');
export const loadFigures = () => import('../../../figures/index.ts');

/** Reads the study file and makes its plan, with what happens meanwhile shown. */
export async function prepare(
  file: string,
  options: StudyOptions,
  output: Output,
  signal: AbortSignal,
) {
  const { prepareStudy, readStudy, studyFolder } = await loadStudies();
  const study = await readStudy(file);
  if (options.parallel !== undefined) study.parallel = options.parallel;
  if (options.threads !== undefined) study.threads = options.threads;
  const progress = output.progress('reading data sets');
  try {
    const prepared = await prepareStudy(study, studyFolder(study, options.out), {
      signal,
      onData: (name, done, total) => progress.update({ done, total, text: name }),
    });
    return prepared;
  } finally {
    progress.end();
  }
}
