/** Figure 1: what transfer brings, by data size, distance to the source and model: a dot a data set. */
import type { DataSummary, Gain, StudySummary } from '../results/index.ts';
import { decimal, listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind, type FigureSpec } from './figure.ts';
import { modelLabel } from './labels.ts';
import { colour } from './palette.ts';
import { comparedModels } from './sweeps.ts';
import { told } from './told.ts';

export const figure01: FigureKind = {
  id: 'figure-01-transfer-gain',
  paper: 'Figure 1',
  needs: 'finished WT and RI runs of one data set and model',
  draw(summary) {
    const { shown: models, others } = comparedModels(summary.axes.models);
    const distances = summary.data.map(({ frechet }) => frechet?.distance);
    const hasDistance = distances.every((distance) => distance !== undefined);
    const place = (data: DataSummary, at: number): number =>
      hasDistance ? (data.frechet?.distance ?? 0) : at + 1;
    const missing: string[] = [];
    const dots = models.flatMap((model) =>
      summary.data.flatMap((data, at): Dot[] => {
        const comparison = summary.table.comparisons.find(
          (one) => one.data === data.name && one.model === model,
        );
        const size = data.counts?.train ?? data.samples;
        if (comparison?.transfer.value === undefined || size === undefined) {
          missing.push(`${modelLabel(model)} on ${data.name}`);
          return [];
        }
        return [
          {
            model: modelLabel(model),
            data: data.name,
            images: size,
            place: place(data, at),
            gain: comparison.transfer.value,
            ...boundsIn('gainInterval', comparison.transfer),
            ...(comparison.reuseNormalised === undefined
              ? {}
              : { reuse: comparison.reuseNormalised }),
            share: comparison.reuse.value,
            ...boundsIn('shareInterval', comparison.reuse),
          },
        ];
      }),
    );
    if (dots.length === 0) return [];
    const figure = draw(summary, dots, { hasDistance, missing, others: others.map(modelLabel) });
    const labels = new Set(dots.map(({ model }) => model));
    const drawn = models.filter((model) => labels.has(modelLabel(model)));
    return [
      {
        ...figure,
        ...aloneOf(
          drawn,
          dots.map(({ data }) => data),
        ),
      },
    ];
  },
};

interface Dot {
  model: string;
  data: string;
  images: number;
  place: number;
  gain: number;
  gainInterval?: string;
  reuse?: number;
  share?: number;
  shareInterval?: string;
}

/** The 95 % interval of a gain in words, where it has one. */
function boundsIn(name: 'gainInterval' | 'shareInterval', { low, high }: Gain): Partial<Dot> {
  if (low === undefined || high === undefined) return {};
  return { [name]: `${decimal(low)} to ${decimal(high)}` };
}

function draw(
  summary: StudySummary,
  dots: readonly Dot[],
  {
    hasDistance,
    missing,
    others,
  }: { hasDistance: boolean; missing: readonly string[]; others: readonly string[] },
): Figure {
  const models = [...new Set(dots.map(({ model }) => model))];
  const sets = [...new Set(dots.map(({ data }) => data))];
  const names = summary.data.map(({ name }) => name);
  const isOfTrain = summary.data.some(({ counts }) => counts !== undefined);
  const colourless = dots.filter(({ reuse }) => reuse === undefined);
  const sources = [...new Set(summary.data.flatMap(({ frechet }) => frechet?.source ?? []))];
  const title = 'What transfer brings, by data size, distance and model';
  return {
    id: figure01.id,
    paper: figure01.paper,
    title,
    caption: sentences(
      'A dot a data set, a panel a model, in order of increasing inductive bias. Size: gain of transfer, WT/RI, of the mean test metrics. Colour: share of WT that comes from feature reuse, (WT−ST)/WT, between the least (0) and the greatest (1) of the study.',
      `Left to right: images ${isOfTrain ? 'of the training split' : 'of the data set'}, on a logarithmic axis.`,
      hasDistance
        ? `Bottom to top: Fréchet distance to the source${sources.length > 0 ? ` (${sources.join(', ')})` : ''}.`
        : `Bottom to top: the data sets in the order of the study, because their Fréchet distance to the source is not there for all of them.`,
      colourless.length > 0 ? 'Hollow grey dots: no reuse share (ST is not there).' : '',
      leftOut(missing),
      others.length > 0 ? `Not shown: ${listed(others)}.` : '',
      'Intervals of both gains are in table 1.',
      provenance(summary, sets),
    ),
    spec: {
      title,
      data: { values: dots },
      facet: {
        field: 'model',
        type: 'nominal',
        title: null,
        sort: models,
      },
      columns: Math.min(4, models.length),
      spacing: 18,
      spec: panel(dots, { hasDistance, names, isOfTrain }),
      resolve: { axis: { x: 'independent' } },
    },
  };
}

function panel(
  dots: readonly Dot[],
  { hasDistance, names, isOfTrain }: { hasDistance: boolean; names: string[]; isOfTrain: boolean },
): FigureSpec {
  const sizes = dots.map(({ images }) => images);
  const places = dots.map(({ place }) => place);
  const gains = dots.map(({ gain }) => gain);
  const [least, most] = [Math.min(...gains), Math.max(...gains)];
  const room = hasDistance ? Math.max(5, 0.18 * (Math.max(...places) - Math.min(...places))) : 0.6;
  const x = {
    field: 'images',
    type: 'quantitative',
    title: isOfTrain ? 'training images' : 'images',
    scale: {
      type: 'log',
      domain: [Math.min(...sizes) / 2.5, Math.max(...sizes) * 2.5],
      nice: false,
    },
    axis: { format: '~s', values: powers(sizes), labelFlush: false },
  };
  const y = {
    field: 'place',
    type: 'quantitative',
    title: hasDistance ? 'Fréchet distance to the source' : 'data set',
    scale: {
      domain: [Math.min(...places) - room, Math.max(...places) + room],
      nice: false,
      zero: false,
    },
    axis: hasDistance
      ? { tickCount: 5 }
      : {
          values: names.map((_, at) => at + 1),
          labelExpr: `${JSON.stringify(names)}[datum.value - 1]`,
          grid: false,
        },
  };
  // One legend entry where all gains are the same.
  const steps = most > least ? [least, (least + most) / 2, most] : [most];
  const size = {
    field: 'gain',
    type: 'quantitative',
    title: 'WT/RI',
    scale: {
      domain: most > least ? [least, most] : [least - 1, most],
      range: [60, 700],
      zero: false,
    },
    legend: { values: steps, format: '.2f', symbolFillColor: colour('grey') },
  };
  const { description, tooltip } = told([
    { field: 'data', title: 'data set' },
    { field: 'model', title: 'model' },
    { field: 'gain', title: 'WT/RI', format: '.3f' },
    { field: 'gainInterval', title: '95 % interval' },
    { field: 'share', title: '(WT−ST)/WT', format: '.3f' },
    { field: 'shareInterval', title: 'its 95 % interval' },
    { field: 'images', title: isOfTrain ? 'training images' : 'images', format: ',d' },
    ...(hasDistance ? [{ field: 'place', title: 'Fréchet distance', format: '.4~g' }] : []),
  ]);
  const hasReuse = dots.some(({ reuse }) => reuse !== undefined);
  return {
    width: 190,
    height: 210,
    layer: [
      ...(hasReuse
        ? [
            {
              transform: [{ filter: 'isValid(datum.reuse)' }],
              mark: {
                type: 'circle',
                opacity: 0.95,
                stroke: colour('muted'),
                strokeWidth: 0.75,
                description,
              },
              encoding: {
                x,
                y,
                size,
                tooltip,
                color: {
                  field: 'reuse',
                  type: 'quantitative',
                  title: 'reuse share',
                  scale: { domain: [0, 1], range: 'heatmap' },
                  legend: { values: [0, 0.5, 1], gradientLength: 90 },
                },
              },
            },
          ]
        : []),
      {
        transform: [{ filter: '!isValid(datum.reuse)' }],
        mark: { type: 'point', filled: false, strokeWidth: 2, color: colour('grey'), description },
        encoding: { x, y, size, tooltip },
      },
      ...(hasDistance
        ? [
            {
              // Above the greatest dot that there can be.
              mark: { type: 'text', dy: -21, fontSize: 9, color: colour('muted'), aria: false },
              encoding: { x, y, text: { field: 'data' } },
            },
          ]
        : []),
    ],
  };
}

/** 1, 3, 10, 30 and so on: enough of them to read a logarithmic axis by. */
function powers(sizes: readonly number[]): number[] {
  const [low, high] = [Math.min(...sizes) / 2.5, Math.max(...sizes) * 2.5];
  const decades = Array.from({ length: 12 }, (_, at) => 10 ** at);
  const few = decades.filter((one) => one >= low && one <= high);
  return few.length > 2
    ? few
    : decades.flatMap((one) => [one, 3 * one]).filter((one) => one >= low && one <= high);
}
