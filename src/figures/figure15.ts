/** Figure 15: the best k-NN metric at any tap by kind of embedding, of each network with a class token. */
import { provenance, sentences } from './caption.ts';
import { aloneOf, type FigureKind } from './figure.ts';
import { panelName } from './figure02.ts';
import { type FractionPanel, fractionPanels, panelSets, panelWords } from './fractionPanels.ts';
import { knnMaxima, maximumLine } from './knnMaximum.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { fileName } from './pages.ts';
import { seriesStyle } from './styles.ts';

const kinds = [
  { kind: 'cls', label: 'class token' },
  { kind: 'spatial', label: 'spatial tokens' },
  { kind: 'both', label: 'both' },
] as const;

export const figure15: FigureKind = {
  id: 'figure-15-maximum-knn-by-token',
  paper: 'Figure 15',
  needs: 'the analysis knn, with all embeddings, of ST and WT runs of a network with a class token',
  draw(summary) {
    const all = kinds.map(({ kind, label }) => ({ kind, label, maxima: knnMaxima(summary, kind) }));
    return summary.axes.models.flatMap((model) => {
      const hasClass = all.some(
        ({ kind, maxima }) => kind === 'cls' && maxima.some((one) => one.model === model),
      );
      if (!hasClass) return [];
      const panels = summary.data
        .map(
          (data): FractionPanel => ({
            title: panelName(data),
            data: data.name,
            y: `max. k-NN ${metricLabel(data.metric)}`,
            lines: all.flatMap(({ label, maxima }) => {
              const line = maxima.filter((one) => one.data === data.name && one.model === model);
              return line.length > 0 ? [{ label, ...maximumLine(line) }] : [];
            }),
          }),
        )
        .filter(({ lines }) => lines.some(({ points }) => points.length > 1));
      if (panels.length === 0) return [];
      const title = `Best features of ${modelLabel(model)} by kind of token`;
      return [
        {
          id: `${figure15.id}-${fileName(model)}`,
          paper: figure15.paper,
          title,
          ...aloneOf([model], panelSets(panels)),
          caption: sentences(
            'Test metric of k-NN on the features of the tap where its mean over seeds is greatest, against the share of modules that start from pretrained weights (0 is ST, 1 is WT): of the class token, the spatial tokens, and both one after the other. A panel a data set.',
            panels.some(({ lines }) => lines.some(({ random }) => random)) ? 'Stars: RI.' : '',
            panelWords(panels),
            provenance(summary, panelSets(panels)),
          ),
          spec: fractionPanels({
            title,
            seriesTitle: 'features',
            series: kinds.map(({ label }, at) => ({ label, style: seriesStyle(at) })),
            panels,
          }),
        },
      ];
    });
  },
};
