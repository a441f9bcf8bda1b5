/**
 * What a figure is: one of the paper's, made from a study's own numbers. Each is one file that exports a
 * {@link FigureKind}; figures.ts lists them.
 */
import type { StudySummary } from '../results/index.ts';

/** A Vega-Lite specification (https://vega.github.io/schema/vega-lite/v6.json), its data inside. */
export type FigureSpec = Record<string, unknown>;

export interface Figure {
  /** File name without an ending: `figure-02-wt-st-curves`. */
  id: string;
  /** The figure of the paper that it corresponds to: `Figure 2`. */
  paper: string;
  title: string;
  /** The model, where it shows one alone. */
  model?: string;
  /** The data set, where it shows one alone. */
  data?: string;
  /** What is shown, n, seeds, precision, device: whole sentences. */
  caption: string;
  spec: FigureSpec;
}

/** The model and the data set of a figure, of each where it shows one alone. */
export function aloneOf(
  models: readonly string[],
  data: readonly string[],
): Pick<Figure, 'model' | 'data'> {
  const only = (names: readonly string[]): string | undefined =>
    new Set(names).size === 1 ? names[0] : undefined;
  const [model, set] = [only(models), only(data)];
  return {
    ...(model === undefined ? {} : { model }),
    ...(set === undefined ? {} : { data: set }),
  };
}

export interface FigureKind {
  id: string;
  paper: string;
  /** What the study must have for it, for the list of figures that are not there: `WT-ST-n/m runs`. */
  needs: string;
  /** The figures (one a model or data set where one would be too large); empty where the data is missing. */
  draw(summary: StudySummary): Figure[];
}
