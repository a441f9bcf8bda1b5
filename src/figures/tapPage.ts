/** What figures by tap begin with: which settings, data sets and initialisations some models have. */
import type { StudySummary } from '../results/index.ts';
import type { Figure } from './figure.ts';
import { byInductiveBias } from './labels.ts';
import { modelPages, pagedFigures } from './pages.ts';
import { distinct, type Setting } from './settings.ts';
import { type ShownInit, shownInits } from './shownInits.ts';

/** The models of one figure and what there is of them. */
export interface TapPage {
  models: readonly string[];
  settings: readonly Setting[];
  /** Data sets with any of the settings, in the study's order. */
  data: string[];
  shown: ShownInit[];
  /** Names of undefined numbers, filled while cells are made. */
  gaps: string[];
}

export function tapPage(
  summary: StudySummary,
  all: readonly Setting[],
  models: readonly string[],
): TapPage {
  const settings = all.filter(({ model }) => models.includes(model));
  return {
    models,
    settings,
    data: summary.axes.data.filter((name) => settings.some((setting) => setting.data === name)),
    shown: shownInits(summary.axes, models),
    gaps: [],
  };
}

/** A figure for every few of the models that have settings, by inductive bias. */
export function tapPages(
  summary: StudySummary,
  settings: readonly Setting[],
  draw: (page: TapPage) => Figure,
): Figure[] {
  const pages = modelPages(distinct(settings.map(({ model }) => model)));
  return pagedFigures(pages, (models) => draw(tapPage(summary, settings, byInductiveBias(models))));
}
