/** How a checkpoint was taken, in one sentence for people. */
import type { ImageModel } from '../models/index.ts';
import type { MatchReport } from './match.ts';

/**
 * What a load took, and what it changed or left out: `318 tensors matched; head replaced (1000 classes in the
 * file, 5 here); position embeddings resized`. Nothing of it is an error.
 */
export function describeMatch(model: ImageModel, report: MatchReport): string {
  const { matched, headReplaced, wrongShape, adapted, unexpected, ignored, optional } = report;
  const own = matched.filter((name) => !headReplaced || !model.isHead(name));
  const head = wrongShape.find(({ name }) => model.isHead(name));
  const classes = head ? `${head.got[0]} classes in the file` : 'none in the file';
  const count = (items: readonly unknown[], what: string): string[] =>
    items.length > 0 ? [`${items.length} ${what}`] : [];
  return [
    `${own.length} tensors matched`,
    ...(headReplaced ? [`head replaced (${classes}, ${model.classes} here)`] : []),
    ...count(adapted, 'adapted to the size or channels of the images'),
    ...count(unexpected, 'unexpected, left out'),
    ...count(ignored, 'ignored'),
    ...count(optional, 'absent batch counters, from 0'),
  ].join('; ');
}
