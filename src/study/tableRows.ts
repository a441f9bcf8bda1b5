/** Which finished runs the tables of a study are of, and what the tables call their models. */
import type { ResultRow } from '../results/index.ts';
import type { Plan } from './plan.ts';
import { modelLabel, type PlannedRun } from './run.ts';

/** The variant of rows that belong to the learning-rate grid search. */
export const GRID_VARIANT = 'learning-rate-grid';

/**
 * What tables call the model of a run. A run from random weights has no source: it stands beside the runs
 * from each of them.
 */
export function modelLabels(
  { model, from }: Pick<PlannedRun, 'model' | 'from'>,
  { sources }: Pick<Plan, 'sources'>,
): string[] {
  if (sources === undefined) return [model];
  if (from !== undefined) return [modelLabel(model, from)];
  return sources.map((source) => modelLabel(model, source));
}

/** The rows that tables, gains, curves and figures are made of: target runs, models as in the plan's axes. */
export function tableRows(rows: readonly ResultRow[], plan: Pick<Plan, 'sources'>): ResultRow[] {
  return rows
    .filter(({ init, variant }) => init !== 'source' && variant === undefined)
    .flatMap((row) =>
      modelLabels({ model: row.model, from: row.source }, plan).map((model) => ({ ...row, model })),
    );
}
