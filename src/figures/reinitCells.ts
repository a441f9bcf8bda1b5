/** Re-initialisation robustness as figures 5 and 16 show it: the test metric, tap after tap put back. */
import type { AnalysisRow, StudySummary } from '../results/index.ts';
import { type LineCell, lineCell } from './lineGrid.ts';
import { findSettings, type Setting } from './settings.ts';
import type { ShownInit } from './shownInits.ts';

/** The place before the taps: nothing put back. */
const AS_TRAINED = 'as trained';

/** What the numbers are: sentences for captions. */
export const reinitWords =
  'The test metric of the fine-tuned network with one tap at a time put back to its initial state. The first place, “as trained”, is the network with nothing put back; a deep drop is a tap whose training was critical.';

export function reinitSettings(summary: StudySummary): Setting[] {
  return findSettings(
    summary,
    ({ measure, detail }) => measure === 'reinit' && detail === 'metric',
  );
}

/** The lines of a data set and model, each beginning with the metric of its runs as trained. */
export function reinitCell(
  summary: StudySummary,
  settings: readonly Setting[],
  place: { data: string; model: string; shown: readonly ShownInit[]; gaps: string[] },
): LineCell | undefined {
  const { data, model } = place;
  return lineCell(settings, {
    ...place,
    pick: (rows) => {
      const [first] = rows;
      const trained = summary.table.cells.find(
        (cell) => cell.data === data && cell.model === model && cell.init === first?.init,
      )?.metric;
      const start: AnalysisRow[] =
        first && trained ? [{ ...first, of: AS_TRAINED, value: trained }] : [];
      return [...start, ...rows];
    },
  });
}
