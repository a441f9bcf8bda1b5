/** Findings of a study by setting, and means of them over data sets. */
import type { AnalysisRow, StudySummary } from '../results/index.ts';
import { mean } from '../util/index.ts';
import { familyOf } from './labels.ts';

/** The findings of one data set, model and initialisation. */
export interface Setting {
  data: string;
  model: string;
  init: string;
  /** In the order in which the measure gave them: taps in the network's order. */
  rows: AnalysisRow[];
}

/** The wanted findings by setting: data sets and models in the study's order. One pass over all of them. */
export function findSettings(
  { findings, axes }: StudySummary,
  wanted: (row: AnalysisRow) => boolean,
): Setting[] {
  const found = new Map<string, Setting>();
  for (const row of findings) {
    if (!wanted(row)) continue;
    const { data, model, init } = row;
    const key = `${data}\n${model}\n${init}`;
    const setting = found.get(key);
    if (setting) setting.rows.push(row);
    else found.set(key, { data, model, init, rows: [row] });
  }
  const place = (names: readonly string[], name: string): number => {
    const at = names.indexOf(name);
    return at < 0 ? names.length : at;
  };
  return [...found.values()].sort(
    (a, b) =>
      place(axes.data, a.data) - place(axes.data, b.data) ||
      place(axes.models, a.model) - place(axes.models, b.model),
  );
}

/** The setting of these names, if it is there. */
export function settingOf(
  settings: readonly Setting[],
  wanted: { data: string; model: string; init: string | undefined },
): Setting | undefined {
  return settings.find(
    ({ data, model, init }) =>
      data === wanted.data && model === wanted.model && init === wanted.init,
  );
}

/** Names in the order of their first occurrence. */
export function distinct<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

/** A number averaged over data sets, each counted once however many seeds it has. */
export interface AveragedFinding {
  of: string;
  detail: string;
  /** Absent where it is defined for none. */
  mean?: number;
  /** Data sets that have it. */
  sets: number;
}

/** The mean over settings (data sets) of every number, over those that have it. */
export function averageFindings(settings: readonly Setting[]): AveragedFinding[] {
  const found = new Map<string, { of: string; detail: string; means: number[] }>();
  for (const { of, detail, value } of settings.flatMap(({ rows }) => rows)) {
    const key = `${of}\n${detail}`;
    const entry = found.get(key) ?? { of, detail, means: [] };
    found.set(key, entry);
    if (value) entry.means.push(value.mean);
  }
  return [...found.values()].map(({ of, detail, means }) => ({
    of,
    detail,
    ...(means.length > 0 ? { mean: mean(means) } : {}),
    sets: means.length,
  }));
}

/** The study's first vision transformer and its first ResNet, or what is nearest to them. */
export function chosenModels(settings: readonly { model: string }[]): string[] {
  const models = distinct(settings.map(({ model }) => model));
  const first = (...families: string[]): string | undefined =>
    families.flatMap((family) => models.filter((model) => familyOf(model) === family)).at(0);
  const chosen = [first('deit', 'swin'), first('resnet', 'inception')].filter(
    (model) => model !== undefined,
  );
  return chosen.length > 0 ? chosen : models.slice(0, 2);
}
