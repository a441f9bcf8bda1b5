/** Figure 14: the best k-NN metric at any tap against the WT fraction, a panel a data set. */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { averageLine, gainPanel } from './averages.ts';
import { provenance, sentences } from './caption.ts';
import type { FigureKind } from './figure.ts';
import { panelName } from './figure02.ts';
import {
  type FractionPanel,
  fractionPanels,
  modelSeries,
  panelSets,
  panelsAlone,
  panelWords,
} from './fractionPanels.ts';
import { knnMaxima, maximumLine } from './knnMaximum.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { comparedModels } from './sweeps.ts';

export const figure14: FigureKind = {
  id: 'figure-14-maximum-knn',
  paper: 'Figure 14',
  needs: 'the analysis knn of ST and WT runs, better with WT-ST-n/m between them',
  draw(summary) {
    const all = knnMaxima(summary);
    const { shown, others } = comparedModels(
      summary.axes.models.filter((model) => all.some((one) => one.model === model)),
    );
    const panels = summary.data
      .map(
        (data): FractionPanel => ({
          title: panelName(data),
          data: data.name,
          y: `max. k-NN ${metricLabel(data.metric)}`,
          lines: shown.flatMap((model) => {
            const own = all.filter((one) => one.data === data.name && one.model === model);
            return own.length > 0 ? [{ label: modelLabel(model), ...maximumLine(own) }] : [];
          }),
        }),
      )
      .filter(({ lines }) => lines.some(({ points }) => points.length > 1));
    if (panels.length === 0) return [];
    const average = averageGain(summary, shown, panels);
    const drawn = average ? [...panels, average] : panels;
    const title = 'Best features at any depth, by WT fraction';
    return [
      {
        id: figure14.id,
        paper: figure14.paper,
        title,
        ...panelsAlone(shown, panels),
        caption: sentences(
          'Test metric of k-NN on the features of the tap where its mean over seeds is greatest, against the share of modules that start from pretrained weights (0 is ST, 1 is WT), a panel a data set. Class and spatial tokens together where a network has a class token.',
          panels.some(({ lines }) => lines.some(({ random }) => random)) ? 'Stars: RI.' : '',
          average ? 'Last panel: gain over ST relative to ST, averaged over data sets.' : '',
          panelWords(panels),
          others.length > 0 ? `Not shown: ${listed(others.map(modelLabel))}.` : '',
          provenance(summary, panelSets(panels)),
        ),
        spec: fractionPanels({ title, series: modelSeries(shown, drawn), panels: drawn }),
      },
    ];
  },
};

/** (maximum − maximum of ST) / maximum of ST, averaged over the panels that have both. */
function averageGain(
  summary: StudySummary,
  models: readonly string[],
  panels: readonly FractionPanel[],
): FractionPanel | undefined {
  const lines = models.map(modelLabel).flatMap((label) => {
    const gains = panels.flatMap((panel) => {
      const points = panel.lines.find((line) => line.label === label)?.points ?? [];
      const base = points.find(({ fraction }) => fraction === 0)?.value.mean;
      return base
        ? points.map(({ fraction, value }) => ({ fraction, value: (value.mean - base) / base }))
        : [];
    });
    return averageLine(label, gains);
  });
  return gainPanel(summary, lines);
}
