/** The tables of the page: table 1, comparisons, data, cost. */
import {
  type Aggregate,
  type Cell,
  type Gain,
  initRank,
  type StudyCost,
  type StudySummary,
} from '../results/index.ts';
import { type Html, html } from './html.ts';
import {
  bytes,
  decimal,
  lasting,
  listed,
  metricName,
  percent,
  probability,
  signed,
  whole,
} from './words.ts';

/** Metrics as the heads of narrow columns have them. */
const shortNames: Record<string, string> = { kappa: 'κ', recall: 'recall', auc: 'AUC' };

/** Table 1: a model's rows, a column a data set. Best means of a data set and model in bold. */
export function table1({ table }: StudySummary): Html {
  const partial = table.axes.inits.some(isPartial);
  const short = rowsOf(table, (init) => !isPartial(init));
  if (!partial) return short;
  return html`${short}<details><summary>With every WT-ST-n/m</summary>${rowsOf(table, () => true)}</details>`;
}

const isPartial = (init: string): boolean => init.startsWith('WT-ST-');

/** The table with the initialisations that are wanted, the best among them in bold. */
function rowsOf(table: Aggregate, wanted: (init: string) => boolean): Html {
  const { axes } = table;
  const head = table.data.map(
    ({ name, metric, samples }) =>
      html`<th data-data="${name}">${name}<br><small class="muted">${metric === undefined ? 'metric' : (shortNames[metric] ?? metric)} ↑${samples === undefined ? '' : `, n = ${whole(samples)}`}</small></th>`,
  );
  const body = table.models.flatMap(({ id, parameters }) => {
    const inits = [...(axes.initsOf?.[id] ?? axes.inits)].sort((a, b) => initRank(a) - initRank(b));
    const cells = new Map(
      table.cells
        .filter(({ model }) => model === id)
        .map((cell) => [`${cell.data}\n${cell.init}`, cell]),
    );
    const best = new Map(
      axes.data.map((data) => [
        data,
        Math.max(
          ...inits
            .filter(wanted)
            .map((init) => cells.get(`${data}\n${init}`)?.metric?.mean ?? -Infinity),
        ),
      ]),
    );
    const size = parameters === undefined ? '' : ` (${(parameters / 1e6).toFixed(1)}M)`;
    return [
      html`<tr class="first" data-model="${id}"><th class="text" scope="rowgroup" colspan="${axes.data.length + 1}">${id}${size}</th></tr>`,
      ...inits
        .filter(wanted)
        .map(
          (init) =>
            html`<tr data-model="${id}"><th class="text start" scope="row">${init.toUpperCase()}</th>${axes.data.map((data) => metricCell(cells.get(`${data}\n${init}`), data, best.get(data), axes.seeds.length))}</tr>`,
        ),
      ...gainRows(table, id),
    ];
  });
  return html`<p class="note">Test metric, mean ± standard deviation over seeds, with the 95 % interval of the mean from three seeds on; the best mean of each model in bold. ${inReach(table)}</p><div class="scroll" tabindex="0" role="region" aria-label="Table 1"><table><thead><tr><th class="text">model, start</th>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function inReach({ axes }: Aggregate): string {
  const has = (init: string): boolean => axes.inits.includes(init);
  const parts = [
    has('wt') && has('ri') ? 'WT/RI is the gain from transfer' : '',
    has('wt') && has('st') ? '(WT−ST)/WT the share of the metric that feature reuse brings' : '',
  ].filter((text) => text !== '');
  return parts.length === 0 ? '' : `${parts.join(', ')}.`;
}

function metricCell(
  cell: Cell | undefined,
  data: string,
  best: number | undefined,
  seeds: number,
): Html {
  if (!cell || cell.finishedSeeds.length === 0) return html`<td data-data="${data}">–</td>`;
  const { metric, metricInterval, undefinedRuns } = cell;
  if (!metric) {
    const [first] = undefinedRuns;
    return html`<td data-data="${data}" title="${first?.reason}">undefined</td>`;
  }
  const spread =
    metric.deviation === undefined
      ? ''
      : html` <span class="sd">± ${decimal(metric.deviation)}</span>`;
  const bounds = metricInterval
    ? html`<br><small>${decimal(metricInterval.low)} to ${decimal(metricInterval.high)}</small>`
    : '';
  const count =
    metric.count < seeds ? html`<br><small>${metric.count} of ${seeds} runs</small>` : '';
  const isBest = metric.mean === best;
  return html`<td data-data="${data}"${isBest ? html` class="best"` : ''}>${decimal(metric.mean)}${spread}${bounds}${count}</td>`;
}

function gainRows({ axes, comparisons }: Aggregate, model: string): Html[] {
  const own = comparisons.filter((item) => item.model === model);
  const row = (label: string, of: (data: string) => Gain | undefined): Html =>
    html`<tr class="gain" data-model="${model}"><th class="text start" scope="row">${label}</th>${axes.data.map((data) => gainCell(of(data), data))}</tr>`;
  const has = (init: string): boolean => axes.inits.includes(init);
  const at = (data: string) => own.find((item) => item.data === data);
  return [
    ...(has('wt') && has('ri') ? [row('WT/RI', (data) => at(data)?.transfer)] : []),
    ...(has('wt') && has('st') ? [row('(WT−ST)/WT', (data) => at(data)?.reuse)] : []),
  ];
}

function gainCell(gain: Gain | undefined, data: string): Html {
  if (gain?.value === undefined)
    return html`<td data-data="${data}" title="${gain?.reason}">–</td>`;
  const bounds =
    gain.low === undefined || gain.high === undefined
      ? ''
      : html`<br><small>${decimal(gain.low)} to ${decimal(gain.high)}</small>`;
  return html`<td data-data="${data}">${decimal(gain.value)}${bounds}</td>`;
}

/** Every claim that was tested. */
export function comparisonTable({ comparisons }: StudySummary): Html {
  const tested = comparisons.filter(({ test }) => test !== undefined);
  if (tested.length === 0) return html`<p>No seed has runs of two initialisations to compare.</p>`;
  const rows = tested.map(
    ({ data, model, better, than, test, corrected }) =>
      html`<tr data-data="${data}" data-model="${model}"><td class="text">${better.toUpperCase()} better than ${than.toUpperCase()}</td><td class="text">${data}</td><td class="text">${model}</td><td>${test?.pairs}</td><td>${test ? signed(test.difference) : ''}</td><td>${test?.interval ? `${signed(test.interval.low)} to ${signed(test.interval.high)}` : '–'}</td><td>${test ? probability(test.p) : ''}</td><td>${corrected === undefined ? '–' : probability(corrected)}</td></tr>`,
  );
  return html`<p class="note">Differences of the test metric paired by seed. p: one-sided permutation of signs; Holm: corrected over all data sets and models of the same claim.</p><div class="scroll" tabindex="0" role="region" aria-label="Comparisons"><table><thead><tr><th class="text">claim</th><th class="text">data</th><th class="text">model</th><th>seeds</th><th>difference</th><th>95 % interval</th><th>p</th><th>p, Holm</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Images by split, and by class where the split file says so. */
export function dataTable({ data }: StudySummary): Html {
  const distances = data.find(({ frechet }) => frechet !== undefined)?.frechet;
  const count = (value: number | undefined): string => (value === undefined ? '–' : whole(value));
  const rows = data.map(
    ({ name, task, metric, samples, counts, classes, frechet }) =>
      html`<tr data-data="${name}"><th class="text" scope="row">${name}</th><td class="text">${task ?? '–'}</td><td class="text">${metricName(metric)}</td><td>${classes?.length ?? '–'}</td><td>${count(samples)}</td><td>${count(counts?.train)}</td><td>${count(counts?.val)}</td><td>${count(counts?.test)}</td>${distances ? html`<td>${frechet === undefined ? '–' : decimal(frechet.distance, 1)}</td>` : ''}</tr>`,
  );
  const classTables = data.flatMap(({ name, classCounts }) =>
    classCounts
      ? [
          html`<details data-data="${name}"><summary>Classes of ${name}</summary><div class="scroll"><table><thead><tr><th class="text">class</th><th>training</th><th>validation</th><th>test</th></tr></thead><tbody>${classCounts.map((one) => html`<tr><td class="text">${one.name}</td><td>${whole(one.train)}</td><td>${whole(one.val)}</td><td>${whole(one.test)}</td></tr>`)}</tbody></table></div></details>`,
        ]
      : [],
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Data"><table><thead><tr><th class="text">data set</th><th class="text">task</th><th class="text">metric</th><th>classes</th><th>images</th><th>training</th><th>validation</th><th>test</th>${distances ? html`<th>FID</th>` : ''}</tr></thead><tbody>${rows}</tbody></table></div>${distances ? html`<p class="note">FID: Fréchet distance to ${distances.source}, features of ${distances.extractor}.</p>` : ''}${classTables}`;
}

/** What the time went to, as far as every run has counted it. */
function spentOn({ trainingSeconds, evaluationSeconds, savingSeconds }: StudyCost): string {
  const parts: [string, number | undefined][] = [
    ['training steps', trainingSeconds],
    ['evaluations', evaluationSeconds],
    ['saving', savingSeconds],
  ];
  const known = parts.flatMap(([what, seconds]) =>
    seconds === undefined ? [] : [`${lasting(seconds)} in ${what}`],
  );
  return known.length === 0 ? '' : `Of that ${listed(known)}.`;
}

/** Run time, speed and use of the device by model, and what the whole took. */
export function costTable({ cost }: StudySummary): Html {
  const rows = cost.byModel.map(
    ({ model, runs, seconds, imagesPerSecond, deviceUtilisation }) =>
      html`<tr data-model="${model}"><th class="text" scope="row">${model}</th><td>${whole(runs)}</td><td>${lasting(seconds)}</td><td>${imagesPerSecond === undefined ? '–' : whole(imagesPerSecond)}</td><td>${deviceUtilisation === undefined ? '–' : percent(deviceUtilisation)}</td></tr>`,
  );
  const facts = [
    `${whole(cost.runs)} runs took ${lasting(cost.runSeconds)} of run time together; runs side by side took less on the clock.`,
    spentOn(cost),
    cost.peakMemoryBytes === undefined
      ? ''
      : `A run held at most ${bytes(cost.peakMemoryBytes)} of memory.`,
    cost.diskBytes === undefined ? '' : `The runs lie in ${bytes(cost.diskBytes)} on the disk.`,
  ];
  return html`<p>${facts.filter((fact) => fact !== '').join(' ')}</p><div class="scroll"><table><thead><tr><th class="text">model</th><th>runs</th><th>run time</th><th>training images/s</th><th>device busy</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
