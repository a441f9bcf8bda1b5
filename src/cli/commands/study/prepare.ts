/** What the sub-commands of `carryover study` share. */
import type { PlannedRun } from '../../../study/index.ts';
import { startable } from '../../../util/index.ts';
import type { Output } from '../../output.ts';

export interface StudyOptions {
  out?: string;
  parallel?: number;
  threads?: number;
  executor?: 'local' | 'slurm';
}

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
export const loadStudies = () => import('../../../study/index.ts');
export const loadResults = () => import('../../../results/index.ts');
export const loadFigures = () => import('../../../figures/index.ts');

/**
 * Reads the study file and makes its plan, with what happens meanwhile shown.
 * @param measuring whether to measure how a long study shares out the cores, where that is not known
 */
export async function prepare(
  file: string,
  options: StudyOptions,
  output: Output,
  signal: AbortSignal,
  { measuring = false }: { measuring?: boolean } = {},
) {
  const { executorNamed, measureSharing, prepareStudy, readStudy, studyFolder } =
    await loadStudies();
  const study = await readStudy(file);
  if (options.parallel !== undefined) study.parallel = options.parallel;
  if (options.threads !== undefined) study.threads = options.threads;
  const { executor = study.executor.kind } = options;
  if (executor !== study.executor.kind) study.executor = executorNamed(executor);
  const automatic =
    study.parallel === 'auto' && study.threads === 'auto' && study.executor.kind === 'local';
  const shareOut = async (runs: readonly PlannedRun[], cores: number) => {
    const { defaultCacheFolder } = await import('../../../data/index.ts');
    const main = startable('../../main', import.meta.url);
    return measureSharing(runs, {
      program: { args: [...main.execArgv, main.path] },
      cacheFolder: defaultCacheFolder(),
      cores,
      measuring,
      signal,
      onMeasure: (model) =>
        output.note(
          `measuring whether ${model} does better with ${cores} runs at once or with one`,
        ),
    });
  };
  const progress = output.progress('reading data sets');
  try {
    const prepared = await prepareStudy(study, studyFolder(study, options.out), {
      signal,
      ...(automatic ? { shareOut } : {}),
      onData: (name, done, total) => progress.update({ done, total, text: name }),
    });
    return prepared;
  } finally {
    progress.end();
  }
}
