/** Figure 19: iterations to the best validation metric against the WT fraction, and the speed-up. */
import { listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { speedUpPanel } from './convergence.ts';
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
import { modelLabel } from './labels.ts';
import { cellOf, comparedModels, curvePoints } from './sweeps.ts';

export const figure19: FigureKind = {
  id: 'figure-19-convergence-speed',
  paper: 'Figure 19',
  needs: 'finished runs with ST and WT, better with WT-ST-n/m between them',
  draw(summary) {
    const { shown, others } = comparedModels(summary.axes.models);
    const missing: string[] = [];
    const panels = summary.data
      .map(
        (data): FractionPanel => ({
          title: panelName(data),
          data: data.name,
          y: 'iterations to the best',
          format: '~s',
          lines: shown.flatMap((model) => {
            const points = curvePoints(summary, data.name, model).flatMap(
              ({ fraction, kept, iterationsToBest }) => {
                if (iterationsToBest) return [{ fraction, value: iterationsToBest }];
                missing.push(`${modelLabel(model)} on ${data.name} with ${kept} kept`);
                return [];
              },
            );
            const random = cellOf(summary, data.name, model, 'ri')?.iterationsToBest;
            return points.length > 0 ? [{ label: modelLabel(model), points, random }] : [];
          }),
        }),
      )
      .filter(({ lines }) => lines.some(({ points }) => points.length > 1));
    if (panels.length === 0) return [];
    const average = speedUpPanel(summary, shown);
    const drawn = average ? [...panels, average] : panels;
    const title = 'Convergence speed by WT fraction';
    return [
      {
        id: figure19.id,
        paper: figure19.paper,
        title,
        ...panelsAlone(shown, panels),
        caption: sentences(
          'Training iterations to the best validation metric against the share of modules that start from pretrained weights (0 is ST, 1 is WT), a panel a data set.',
          panels.some(({ lines }) => lines.some(({ random }) => random)) ? 'Stars: RI.' : '',
          average
            ? 'Last panel: iterations of ST over those of each fraction, of the means over seeds, averaged over data sets.'
            : '',
          panelWords(panels),
          leftOut(missing),
          others.length > 0 ? `Not shown: ${listed(others.map(modelLabel))}.` : '',
          provenance(summary, panelSets(panels)),
        ),
        spec: fractionPanels({ title, series: modelSeries(shown, drawn), panels: drawn }),
      },
    ];
  },
};
