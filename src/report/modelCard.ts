/** `model-card.md`: what the best network of a data set and model is, and what it is not for. */
import { join } from 'node:path';
import { initLabel } from '../figures/index.ts';
import type { ResultRow, StudySummary } from '../results/index.ts';
import { counted, decimal, escapeMarkdown, listed, whole, writeFileWhole } from '../util/index.ts';
import { isSynthetic, limits } from './limits.ts';
import { methods } from './methods.ts';
import { lasting, metricName, percent } from './words.ts';

/**
 * The best run of each data set and model: chosen by its validation metric, the test metric having no say;
 * of equals the first.
 */
export function bestRuns({ rows, axes }: StudySummary): ResultRow[] {
  const found = new Map<string, ResultRow>();
  for (const row of rows) {
    const { data, model, init, variant, validationMetric } = row;
    if (init === 'source' || variant !== undefined || validationMetric === undefined) continue;
    if (!axes.data.includes(data)) continue;
    const key = `${data}\n${model}`;
    const before = found.get(key)?.validationMetric;
    if (before === undefined || validationMetric > before) found.set(key, row);
  }
  return [...found.values()];
}

/** Writes `model-card.md` into the folder of each best run. @returns the paths. */
export async function writeModelCards(summary: StudySummary): Promise<string[]> {
  const written: string[] = [];
  for (const row of bestRuns(summary)) {
    const path = join(summary.folder, row.runId, 'model-card.md');
    await writeFileWhole(path, modelCard(summary, row));
    written.push(path);
  }
  return written;
}

export function modelCard(summary: StudySummary, row: ResultRow): string {
  const { data, environment } = summary;
  const set = data.find(({ name }) => name === row.data);
  const names = Object.entries(environment.versions).map(
    ([name, all]) => `${name} ${all.join(' or ')}`,
  );
  const sections: [string, string[]][] = [
    [
      'Intended use',
      [
        `Research on transfer learning. Not a medical device: it has not been validated for diagnosis, and no decision on a patient may rest on it.`,
        ...(isSynthetic(summary)
          ? ['It was trained on synthetic pictures: it has learnt nothing of medicine.']
          : []),
      ],
    ],
    [
      'Network',
      [
        `${escapeMarkdown(row.model)}${row.parameters === undefined ? '' : `, ${whole(row.parameters)} parameters`}; weights in \`best.safetensors\` beside this file: the checkpoint with the best validation metric, at iteration ${row.iterationsToBest ?? 'unknown'} of ${row.iterations}.`,
        `Started by ${startOf(row)}.`,
        ...sourceOf(summary, row),
        `Seed ${row.seed}${row.learningRate === undefined ? '' : `, learning rate ${row.learningRate}`}, precision ${row.precision}${row.wallSeconds === undefined ? '' : `, trained in ${lasting(row.wallSeconds)}`}.`,
      ],
    ],
    [
      'Data',
      [
        `${escapeMarkdown(row.data)}, ${whole(row.samples)} images${set?.counts ? `: ${whole(set.counts.train)} to train on, ${whole(set.counts.val)} for validation, ${whole(set.counts.test)} to test on` : ''}.`,
        ...(set?.task === undefined ? [] : [`Task: ${set.task}.`]),
        ...(set?.classes ? [`Classes: ${listed(set.classes.map(escapeMarkdown))}.`] : []),
        ...((row.skippedImages ?? 0) > 0
          ? [`${counted(row.skippedImages ?? 0, 'bad image')} left out.`]
          : []),
      ],
    ],
    ['Metric', metricLines(summary, row)],
    [
      'Training',
      methods(summary).flatMap(({ title, text }) =>
        ['Training', 'Images'].includes(title) ? [escapeMarkdown(text)] : [],
      ),
    ],
    ['Limits', limits(summary).map((text) => `- ${escapeMarkdown(text)}`)],
    [
      'Licence',
      [
        'Unknown: that of the images and of the pretrained weights is not recorded. Look both up before passing this network on.',
      ],
    ],
    [
      'Made with',
      [
        `carryover, study ${escapeMarkdown(summary.name)}, run ${row.runId}${names.length > 0 ? `; ${names.join(', ')}` : ''}.`,
      ],
    ],
  ];
  const body = sections
    .filter(([, lines]) => lines.length > 0)
    .map(
      ([title, lines]) =>
        `## ${title}\n\n${lines.join(lines[0]?.startsWith('- ') ? '\n' : '\n\n')}\n`,
    );
  return `# ${escapeMarkdown(row.model)} on ${escapeMarkdown(row.data)} (${initLabel(row.init)}, seed ${row.seed})\n\n${body.join('\n')}`;
}

const starts: Record<string, string> = {
  wt: 'WT: pretrained weights',
  st: 'ST: random weights with the statistics of pretrained ones',
  ri: 'RI: random weights',
};

function startOf({ init }: ResultRow): string {
  return (
    starts[init] ??
    `${init}: pretrained weights in the first modules, their statistics in the others`
  );
}

function sourceOf(
  { source, rows }: StudySummary,
  { init, weights, source: named }: ResultRow,
): string[] {
  if (init === 'ri') return [];
  const run = rows.find(({ runId }) => runId === weights);
  if (run) {
    return [
      `The pretrained weights are those of run ${run.runId} of this study, trained on ${escapeMarkdown(run.data)} (${whole(run.samples)} images).`,
    ];
  }
  if (weights !== undefined) return [`The pretrained weights are a file with SHA-256 ${weights}.`];
  const name = named ?? source?.name;
  return [
    name === undefined
      ? 'Where the pretrained weights come from is not recorded.'
      : `The pretrained weights come from ${escapeMarkdown(name)}.`,
  ];
}

function metricLines({ table }: StudySummary, row: ResultRow): string[] {
  const cell = table.cells.find(
    (one) =>
      one.data === row.data &&
      one.init === row.init &&
      (one.model === row.model || one.model === `${row.model} from ${row.source}`),
  );
  const own =
    row.testMetric === undefined
      ? `Undefined on the test split: ${escapeMarkdown(row.undefinedReason ?? 'no reason given')}.`
      : `${metricName(row.metric)} ${decimal(row.testMetric)} on the test split, ${decimal(row.validationMetric ?? 0)} on validation, by which it was chosen.`;
  const { metric, metricInterval } = cell ?? {};
  if (!metric) return [own];
  const bounds = metricInterval
    ? `, ${percent(0.95)} interval ${decimal(metricInterval.low)} to ${decimal(metricInterval.high)}`
    : ', too few for an interval';
  return [
    own,
    `Over ${counted(metric.count, 'seed')} of the same settings: mean ${decimal(metric.mean)}${metric.deviation === undefined ? '' : ` ± ${decimal(metric.deviation)}`}${bounds}.`,
  ];
}
