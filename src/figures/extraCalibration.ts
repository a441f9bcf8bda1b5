/** Not in the paper: whether confidence is deserved, by initialisation: expected error, and reliability. */
import type { AnalysisRow, StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, repeats, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind, type FigureSpec } from './figure.ts';
import { panelTitle } from './grid.ts';
import { initLabel, modelLabel } from './labels.ts';
import { legendRow } from './legend.ts';
import { colour } from './palette.ts';
import { initStyle, seriesEncoding } from './styles.ts';
import { boundsOf, comparedModels, describeBounds, spreadOf, spreadTold } from './sweeps.ts';
import { told } from './told.ts';

const inits = ['ri', 'st', 'wt'];

export const extraCalibration: FigureKind = {
  id: 'extra-calibration',
  paper: 'beyond the paper',
  needs: 'the analysis calibration',
  draw(summary) {
    const rows = summary.findings.filter(
      ({ measure, init }) =>
        inits.includes(init) && (measure === 'calibration' || measure === 'reliability'),
    );
    const { shown, others } = comparedModels(
      summary.axes.models.filter((model) => rows.some((row) => row.model === model)),
    );
    const own = rows.filter(({ model }) => shown.includes(model));
    const note = others.length > 0 ? `Not shown: ${listed(others.map(modelLabel))}.` : '';
    return [...errors(summary, own, shown, note), ...reliability(summary, own, shown, note)];
  },
};

function legend(rows: readonly AnalysisRow[], symbol: 'point' | 'both'): FigureSpec {
  const there = inits.filter((init) => rows.some((row) => row.init === init));
  return legendRow(
    there.map((init) => ({ label: initLabel(init), style: initStyle(init), symbol })),
    500,
  );
}

const series = inits.map((init) => ({ label: initLabel(init), style: initStyle(init) }));
const { color, strokeDash, shape } = seriesEncoding('init', series);

/** Expected calibration error: a panel a data set, a row a model. */
function errors(
  summary: StudySummary,
  rows: readonly AnalysisRow[],
  models: readonly string[],
  note: string,
): Figure[] {
  const own = rows.filter((row) => row.measure === 'calibration' && row.of === 'expected error');
  const values = own.flatMap(({ value }) => value ?? []);
  if (values.length === 0) return [];
  const sets = summary.data.filter(({ name }) => own.some((row) => row.data === name && row.value));
  const sort = models.map(modelLabel);
  const x = {
    field: 'value',
    type: 'quantitative',
    title: 'expected calibration error',
    axis: { tickCount: 4 },
  };
  const y = { field: 'model', type: 'nominal', sort, scale: { domain: sort }, title: null };
  const yOffset = { field: 'init', type: 'nominal', sort: inits.map(initLabel) };
  const { description, tooltip } = told([
    { field: 'model', title: 'model' },
    { field: 'init', title: 'initialisation' },
    { field: 'value', title: 'expected calibration error', format: '.4~g' },
    ...spreadTold(),
  ]);
  const title = 'Calibration: expected error by initialisation';
  return [
    {
      id: `${extraCalibration.id}-error`,
      paper: extraCalibration.paper,
      title,
      ...aloneOf(
        own.flatMap(({ model, value }) => (value ? [model] : [])),
        sets.map(({ name }) => name),
      ),
      caption: sentences(
        'Mean distance between confidence and the share that came true, over bins of confidence on the test split; 0 is a network whose confidence is deserved.',
        `Points are means of ${repeats(values.map(({ count }) => count))}.`,
        describeBounds(values, 'Bars'),
        leftOut(
          own.flatMap(({ data, model, init, value }) =>
            value ? [] : [`${modelLabel(model)} on ${data} (${initLabel(init)})`],
          ),
        ),
        note,
        provenance(
          summary,
          sets.map(({ name }) => name),
        ),
      ),
      spec: {
        title,
        vconcat: [
          legend(own, 'point'),
          {
            concat: sets.map(({ name }) => {
              const data = own.flatMap((row) =>
                row.data === name && row.value
                  ? [
                      {
                        model: modelLabel(row.model),
                        init: initLabel(row.init),
                        value: row.value.mean,
                        ...boundsOf(row.value),
                        ...spreadOf(row.value),
                      },
                    ]
                  : [],
              );
              return {
                title: panelTitle(name, 190),
                width: 190,
                height: { step: 14 },
                data: { values: data },
                layer: [
                  {
                    transform: [{ filter: 'isValid(datum.low)' }],
                    mark: { type: 'rule', aria: false },
                    encoding: {
                      x: { ...x, field: 'low' },
                      x2: { field: 'high' },
                      y,
                      yOffset,
                      color,
                    },
                  },
                  {
                    mark: { type: 'point', size: 50, description },
                    encoding: { x, y, yOffset, color, shape, tooltip },
                  },
                ],
              };
            }),
            columns: 3,
            spacing: 22,
          },
        ],
        spacing: 12,
      },
    },
  ];
}

/** Share that came true against confidence: a panel a data set and model. */
function reliability(
  summary: StudySummary,
  rows: readonly AnalysisRow[],
  models: readonly string[],
  note: string,
): Figure[] {
  const points = rows.flatMap(({ measure, data, model, init, of, detail, value }) => {
    if (measure !== 'reliability' || detail !== 'frequency' || !value) return [];
    const confidence = rows.find(
      (row) =>
        row.measure === 'reliability' &&
        row.detail === 'confidence' &&
        row.of === of &&
        row.data === data &&
        row.model === model &&
        row.init === init,
    )?.value;
    return confidence
      ? [
          {
            data,
            model,
            init: initLabel(init),
            confidence: confidence.mean,
            value: value.mean,
            runs: value.count,
          },
        ]
      : [];
  });
  if (points.length === 0) return [];
  const panels = models.flatMap((model) =>
    summary.data.flatMap(({ name }) => {
      const own = points.filter((point) => point.data === name && point.model === model);
      return own.length > 0 ? [{ title: `${modelLabel(model)}, ${name}`, own }] : [];
    }),
  );
  const unit = { domain: [0, 1] };
  const x = { field: 'confidence', type: 'quantitative', title: 'confidence', scale: unit };
  const y = { field: 'value', type: 'quantitative', title: 'came true', scale: unit };
  const axis = { axis: { values: [0, 0.5, 1] } };
  const { description, tooltip } = told([
    { field: 'init', title: 'initialisation' },
    { field: 'confidence', title: 'confidence', format: '.3~f' },
    { field: 'value', title: 'came true', format: '.3~f' },
    { field: 'runs', title: 'runs', format: 'd' },
  ]);
  const title = 'Calibration: what came true, by confidence';
  return [
    {
      id: `${extraCalibration.id}-reliability`,
      paper: extraCalibration.paper,
      title,
      ...aloneOf(
        points.map(({ model }) => model),
        points.map(({ data }) => data),
      ),
      caption: sentences(
        'Share of test images whose prediction came true, by confidence, a panel a model and data set. On the dashed line confidence is deserved, below it is too high. Bins of confidence without an image are left out; points are means over the runs that have the bin.',
        note,
        provenance(summary),
      ),
      spec: {
        title,
        vconcat: [
          legend(rows, 'both'),
          {
            concat: panels.map((panel) => ({
              title: panelTitle(panel.title, 150),
              width: 150,
              height: 150,
              data: { values: panel.own },
              layer: [
                {
                  data: { values: [0, 1].map((at) => ({ confidence: at, value: at })) },
                  mark: { type: 'line', strokeDash: [4, 3], color: colour('muted'), aria: false },
                  encoding: { x: { ...x, ...axis }, y: { ...y, ...axis } },
                },
                {
                  mark: { type: 'line', aria: false },
                  encoding: { x, y, color, strokeDash },
                },
                {
                  mark: { type: 'point', size: 25, description },
                  encoding: { x, y, color, shape, tooltip },
                },
              ],
            })),
            columns: Math.min(5, Math.max(1, summary.data.length)),
            spacing: 18,
          },
        ],
        spacing: 12,
      },
    },
  ];
}
