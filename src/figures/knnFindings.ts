/** k-NN by tap, as the figures of it show it. */
import type { AnalysisRow } from '../results/index.ts';
import { distinct } from './settings.ts';

/** Class token and patches together where a tap has both: METHODS' default. */
const preferred = ['both', 'spatial', 'cls'];

/** One k-NN finding a tap of a setting, in the network's order. */
export function knnByTap(rows: readonly AnalysisRow[]): AnalysisRow[] {
  return findingByTap(rows, 'knn');
}

/** One finding a tap of a setting and a measure of embeddings (`knn`, `probe`), in the network's order. */
export function findingByTap(rows: readonly AnalysisRow[], measure: string): AnalysisRow[] {
  const all = rows.filter((row) => row.measure === measure);
  return distinct(all.map(({ of }) => of)).flatMap((tap) => {
    const own = all.filter(({ of }) => of === tap);
    const chosen = preferred.flatMap((kind) => own.filter(({ detail }) => detail === kind)).at(0);
    return chosen ? [chosen] : own.slice(0, 1);
  });
}

/** The finding with the highest mean of all depths; none where all are undefined. */
export function bestDepth(rows: readonly AnalysisRow[]): AnalysisRow | undefined {
  return knnByTap(rows)
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => (b.value?.mean ?? 0) - (a.value?.mean ?? 0))
    .at(0);
}

/** What the numbers are: a sentence for captions. */
export const knnWords =
  'Test images are classified by the votes of their nearest training images (up to 200, by cosine similarity of the features at a tap, pooled); vision transformers with a class token by class token and mean patch token together.';
