/** One kind of figure in several files, where a study has more models than one can show. */
import type { Figure } from './figure.ts';

/** Most models side by side. */
const MOST_MODELS = 4;

/** A limit on what one figure may hold, beside the number of models. */
export interface PageLimit {
  size: (model: string) => number;
  most: number;
}

/** Models in the order given, up to four together; a last one that would be alone comes with the four before it. */
export function modelPages(models: readonly string[], limit?: PageLimit): string[][] {
  const pages: string[][] = [];
  let size = 0;
  for (const [at, model] of models.entries()) {
    const own = limit?.size(model) ?? 0;
    const page = pages.at(-1);
    const most = at === models.length - 1 ? MOST_MODELS + 1 : MOST_MODELS;
    if (page && page.length < most && size + own <= (limit?.most ?? 0)) {
      page.push(model);
      size += own;
    } else {
      pages.push([model]);
      size = own;
    }
  }
  return pages;
}

/** The figure of each page, numbered where there are several. */
export function pagedFigures(
  pages: readonly string[][],
  draw: (models: readonly string[]) => Figure,
): Figure[] {
  return pages.map((models, at) => {
    const figure = draw(models);
    if (pages.length === 1) return figure;
    const id = `${figure.id}-${at + 1}`;
    return { ...figure, id, title: `${figure.title}, part ${at + 1} of ${pages.length}` };
  });
}

/** A model's id inside a file's name: `deit_small-5` for `deit_small:5`. */
export function fileName(model: string): string {
  return model.replaceAll(/[^\w-]+/g, '-');
}
