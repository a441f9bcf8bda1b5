/** CKA of one run or of two: a heat map of every matrix that was taken. */
import type { CkaDocument } from '../../results/index.ts';
import { panelTitle } from '../grid.ts';
import { initLabel } from '../labels.ts';
import { similarityPanel } from '../similarity.ts';
import type { RunFigure } from './parts.ts';

type Matrix = CkaDocument['matrices'][number];

const tokenTitles: Record<Matrix['tokens'], string | null> = {
  all: null,
  cls: 'class token',
  spatial: 'patch tokens',
};

export function ckaFigure(document: CkaDocument): RunFigure {
  const { matrices, images, batches } = document;
  const panels = matrices.map((matrix) => {
    const [yTitle, xTitle] = [sideTitle(document, matrix.left), sideTitle(document, matrix.right)];
    const tokens = tokenTitles[matrix.tokens];
    const panel = similarityPanel(cellsOf(matrix), { size: 250, xTitle, yTitle, hasTitles: true });
    return tokens === null ? panel : { ...panel, title: panelTitle(tokens, 250) };
  });
  return {
    title: 'How similar the representations at pairs of taps are (CKA)',
    notes: [`${images} test images in ${batches} batches; from the input at the lower left`],
    concat: panels,
    // Of each kind of token: the two networks, then each with itself.
    columns: 3,
    spacing: 20,
  };
}

function cellsOf({ taps, values }: Matrix): Parameters<typeof similarityPanel>[0] {
  return values.flatMap((row, at) =>
    row.map((value, other) => ({
      of: taps[at] ?? '',
      detail: taps[other] ?? '',
      ...(value === null ? {} : { value }),
    })),
  );
}

const checkpointTitles = { initial: 'before training', best: 'fine-tuned' };

/** `fine-tuned`; of a pair with what tells the two apart: `WT, fine-tuned`. */
function sideTitle({ run, against }: CkaDocument, { run: id, checkpoint }: Matrix['left']): string {
  const title = checkpointTitles[checkpoint];
  if (!against) return title;
  const own = id === run.runId ? run : against;
  const name =
    run.init === against.init ? `${initLabel(own.init)} seed ${own.seed}` : initLabel(own.init);
  return `${name}, ${title}`;
}
