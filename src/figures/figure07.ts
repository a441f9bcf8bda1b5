/** Figure 7: capacity. The curves of figure 2 for the sizes of one family, a figure a family. */
import { listed } from '../util/index.ts';
import type { FigureKind } from './figure.ts';
import { metricCurves } from './figure02.ts';
import { familyLabel, familyOf, modelLabel, modelParts } from './labels.ts';

export const figure07: FigureKind = {
  id: 'figure-07-capacity',
  paper: 'Figure 7',
  needs: 'ST and WT runs of several sizes of one family, such as resnet18 and resnet50',
  draw(summary) {
    const whole = summary.axes.models.filter((model) => modelParts(model).depth === undefined);
    const parameters = (model: string): number =>
      summary.models.find(({ id }) => id === model)?.parameters ?? 0;
    return [...new Set(whole.map(familyOf))].flatMap((family) => {
      const sizes = whole
        .filter((model) => familyOf(model) === family)
        .sort((a, b) => parameters(a) - parameters(b));
      if (new Set(sizes.map((model) => modelParts(model).name)).size < 2) return [];
      const millions = sizes.flatMap((model) => {
        const count = parameters(model);
        return count > 0 ? [`${modelLabel(model)} ${(count / 1e6).toFixed(1)} million`] : [];
      });
      const figure = metricCurves(summary, sizes, {
        id: `${figure07.id}-${family}`,
        paper: figure07.paper,
        title: `Capacity: ${familyLabel(family)} by size`,
        note: millions.length > 0 ? `Parameters: ${listed(millions)}.` : '',
      });
      return figure ? [figure] : [];
    });
  },
};
