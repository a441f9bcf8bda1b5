/** k-NN, and the linear probe where it was taken, of one run by tap and kind of embedding. */
import type { KnnDocument } from '../../results/index.ts';
import { leftOut } from '../caption.ts';
import { metricLabel } from '../labels.ts';
import { legendRow } from '../legend.ts';
import { distinct } from '../settings.ts';
import { type SeriesStyle, seriesStyle } from '../styles.ts';
import { domainOf, type TapPoint, tapLines } from '../tapLines.ts';
import { PANEL_HEIGHT, type RunFigure, tapsWidth } from './parts.ts';

const kinds = ['both', 'cls', 'spatial'];
const kindTitles: Record<string, string> = {
  both: 'class token and patches',
  cls: 'class token',
  spatial: 'spatial mean',
};

export function knnFigure({ taps, settings, bank, queries }: KnnDocument): RunFigure {
  const metric = taps.find(({ knn }) => knn)?.knn?.metric;
  const points = taps.flatMap(({ tap, embedding, knn, probe }): TapPoint[] =>
    [
      { by: 'k-NN', found: knn?.primary.value },
      { by: 'linear probe', found: probe?.test.primary.value },
    ].flatMap(({ by, found }) =>
      found === undefined ? [] : [{ series: seriesName(by, embedding), tap, value: found }],
    ),
  );
  const there = new Set(points.map(({ series }) => series));
  const shown = ['k-NN', 'linear probe'].flatMap((by) =>
    kinds
      .map((kind, place) => ({ label: seriesName(by, kind), style: styleOf(by, place) }))
      .filter(({ label }) => there.has(label)),
  );
  const names = distinct(taps.map(({ tap }) => tap));
  const width = tapsWidth(names);
  const gaps = taps.filter(({ knn }) => !knn).map(({ tap, embedding }) => `${tap} (${embedding})`);
  return {
    title: 'What the features of each tap say of the classes',
    notes: [
      `${settings.used} neighbours vote, ${bank} training images, ${queries} test images`,
      ...(gaps.length > 0 ? [leftOut(gaps)] : []),
    ],
    vconcat: [
      legendRow(shown, Math.max(width, 320)),
      tapLines(points, {
        taps: names,
        shown,
        seriesTitle: 'by',
        width,
        height: PANEL_HEIGHT,
        yTitle: `test ${metricLabel(metric)}`,
        domain: domainOf(points.map(({ value }) => value)),
      }),
    ],
    spacing: 12,
  };
}

function seriesName(by: string, embedding: string): string {
  return `${by}, ${kindTitles[embedding] ?? embedding}`;
}

/** The colour says the embedding; k-NN is solid with dots, the probe dashed with squares. */
function styleOf(by: string, place: number): SeriesStyle {
  const { color } = seriesStyle(place);
  return by === 'k-NN'
    ? { color, dash: [], shape: ['circle', 'triangle-up', 'diamond'][place] ?? 'circle' }
    : { color, dash: [5, 3], shape: ['square', 'triangle-down', 'cross'][place] ?? 'square' };
}
