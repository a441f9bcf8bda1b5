/** Figures of analyses of single runs and pairs, as Vega-Lite specifications: one file a measure in analyses/. */
import type { AnalysisDocument } from '../results/index.ts';
import { attentionFigure } from './analyses/attention.ts';
import { calibrationFigure } from './analyses/calibration.ts';
import { ckaFigure } from './analyses/cka.ts';
import { convergenceFigure } from './analyses/convergence.ts';
import { knnFigure } from './analyses/knn.ts';
import { l2Figure } from './analyses/l2.ts';
import type { RunFigure } from './analyses/parts.ts';
import { reinitFigure } from './analyses/reinit.ts';
import type { FigureSpec } from './figure.ts';
import { initLabel } from './labels.ts';

/** What stands over the figure: of which run it is, and what to know of it. */
interface FigureHead {
  text: string;
  subtitle: string[];
}

/** The figure of a document. Numbers that are undefined are left out of it. */
export function analysisFigure(document: AnalysisDocument): FigureSpec & { title: FigureHead } {
  const { title, notes = [], ...spec } = figureOf(document);
  return {
    title: { text: title, subtitle: [ofRuns(document), ...notes] },
    ...spec,
  };
}

/** `deit_micro, WT, seed 0, skin`; of a pair also what differs in the other run. */
function ofRuns({ run, against }: AnalysisDocument): string {
  const own = `${run.model}, ${initLabel(run.init)}, seed ${run.seed}, ${run.data}`;
  if (!against) return own;
  const differing = [
    ...(against.model === run.model ? [] : [against.model]),
    initLabel(against.init),
    `seed ${against.seed}`,
    ...(against.data === run.data ? [] : [against.data]),
  ];
  return `${own}; against ${differing.join(', ')}`;
}

function figureOf(document: AnalysisDocument): RunFigure {
  switch (document.measure) {
    case 'knn':
      return knnFigure(document);
    case 'cka':
      return ckaFigure(document);
    case 'l2':
      return l2Figure(document);
    case 'reinit':
      return reinitFigure(document);
    case 'attention':
      return attentionFigure(document);
    case 'convergence':
      return convergenceFigure(document);
    case 'calibration':
      return calibrationFigure(document);
  }
}
