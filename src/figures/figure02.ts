/** Figure 2: which layers benefit from feature reuse? Metric against the WT fraction, a panel a data set. */
import type { DataSummary, StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { averageLines, gainPanel } from './averages.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import type { Figure, FigureKind } from './figure.ts';
import {
  type FractionPanel,
  fractionPanels,
  modelSeries,
  panelSets,
  panelsAlone,
  panelWords,
} from './fractionPanels.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { cellOf, comparedModels, curvePoints, metricOf } from './sweeps.ts';

export const figure02: FigureKind = {
  id: 'figure-02-wt-st-curves',
  paper: 'Figure 2',
  needs: 'finished runs with ST and WT, better with WT-ST-n/m between them',
  draw(summary) {
    const { shown, others } = comparedModels(summary.axes.models);
    const elsewhere =
      others.length > 0
        ? `Other sizes (${listed(others.map(modelLabel))}) are compared within their families in figure 7 and table 4.`
        : '';
    const figure = metricCurves(summary, shown, {
      id: figure02.id,
      paper: figure02.paper,
      title: 'Which layers benefit from feature reuse?',
      note: elsewhere,
    });
    return figure ? [figure] : [];
  },
};

interface About {
  id: string;
  paper: string;
  title: string;
  note: string;
}

/** Test metric by WT fraction of some models; nothing where no line has two points. */
export function metricCurves(
  summary: StudySummary,
  models: readonly string[],
  { id, paper, title, note }: About,
): Figure | undefined {
  const missing: string[] = [];
  const panels = summary.data.map((data): FractionPanel => {
    const lines = models.map((model) => {
      const points = curvePoints(summary, data.name, model).flatMap(
        ({ fraction, kept, metric }) => {
          if (metric) return [{ fraction, value: metric }];
          missing.push(`${modelLabel(model)} on ${data.name} with ${kept} kept`);
          return [];
        },
      );
      const random = cellOf(summary, data.name, model, 'ri');
      return { label: modelLabel(model), points, random: random && metricOf(random) };
    });
    return {
      title: panelName(data),
      data: data.name,
      y: `test ${metricLabel(data.metric)}`,
      lines: lines.filter(({ points }) => points.length > 0),
    };
  });
  const used = panels.filter(({ lines }) => lines.some(({ points }) => points.length > 1));
  if (used.length === 0) return undefined;
  const gains = averageLines(summary, models, ({ relativeGain }) => relativeGain);
  const average = gainPanel(summary, gains);
  const drawn = average ? [...used, average] : used;
  const hasRandom = used.some(({ lines }) => lines.some(({ random }) => random));
  const hasSweep = used.some(({ lines }) => lines.some(({ points }) => points.length > 2));
  return {
    id,
    paper,
    title,
    ...panelsAlone(models, used),
    caption: sentences(
      `Test metric of the best checkpoint against the share of modules that start from pretrained weights (WT fraction: 0 is ST, 1 is WT), a panel a data set.`,
      hasSweep
        ? 'A low left end says that the network needs the transferred weights, a steep rise where it needs them.'
        : 'The study has no WT-ST-n/m between the two ends, so the lines only join them.',
      hasRandom ? 'Stars: RI, in the order of the legend.' : '',
      average
        ? 'Last panel: gain over ST relative to ST, averaged over the data sets that have it.'
        : '',
      panelWords(used),
      leftOut(missing),
      note,
      provenance(summary, panelSets(used)),
    ),
    spec: fractionPanels({ title, series: modelSeries(models, drawn), panels: drawn }),
  };
}

/** `aptos2019 (n = 3,662)`. */
export function panelName({ name, samples }: DataSummary): string {
  return samples === undefined ? name : `${name} (n = ${samples.toLocaleString('en-US')})`;
}
