/** The tables of the page: table 1, comparisons, data, cost. */
import {
  initLabel,
  modelLabel,
  type PrintedTable,
  printedTable,
  type Table1Options,
  table1Html,
} from '../figures/index.ts';
import type { StudyCost, StudySummary } from '../results/index.ts';
import { counted, decimal, listed, whole } from '../util/index.ts';
import { Html, html } from './html.ts';
import { bytes, lasting, metricName, percent, probability, signed } from './words.ts';

/** Table 1, RI, ST and WT first; with the WT-ST-n/m of a sweep on request. */
export function table1(summary: StudySummary, options: Table1Options): Html {
  const isPartial = (init: string): boolean => init.startsWith('WT-ST-');
  const short = printedTable(summary, { ...options, hasRow: (init) => !isPartial(init) });
  const rows = (table: PrintedTable, name: string): Html =>
    html`<div class="scroll" tabindex="0" role="region" aria-label="${name}">${new Html(table1Html(table))}</div>`;
  const sweep = summary.table.axes.inits.some(isPartial)
    ? html`<details><summary>With every WT-ST-n/m</summary>${rows(printedTable(summary, options), 'Table 1 with every WT-ST-n/m')}</details>`
    : '';
  const { caption, notes } = short;
  const list = html`<ul class="note">${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
  const known =
    notes.length > MOST_NOTES
      ? html`<details><summary>${counted(notes.length, 'note')} on cells</summary>${list}</details>`
      : notes.length > 0
        ? list
        : '';
  return html`<p class="note">${caption}</p>${rows(short, 'Table 1')}${sweep}${known}`;
}

/** More notes on table 1 than this are folded away. */
const MOST_NOTES = 4;

/** Every claim that was tested. */
export function comparisonTable({ comparisons }: StudySummary): Html {
  const tested = comparisons.filter(({ test }) => test !== undefined);
  if (tested.length === 0) return html`<p>No seed has runs of two initialisations to compare.</p>`;
  const rows = tested.map(
    ({ data, model, better, than, test, corrected }) =>
      html`<tr data-data="${data}" data-model="${model}"><td class="text">${initLabel(better)} better than ${initLabel(than)}</td><td class="text">${data}</td><td class="text">${modelLabel(model)}</td><td>${test?.pairs}</td><td>${test ? signed(test.difference) : ''}</td><td>${test?.interval ? `${signed(test.interval.low)} to ${signed(test.interval.high)}` : '–'}</td><td>${test ? probability(test.p) : ''}</td><td>${corrected === undefined ? '–' : probability(corrected)}</td></tr>`,
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
function spentOn(cost: StudyCost): string {
  const { runSeconds, trainingSeconds, evaluationSeconds, savingSeconds } = cost;
  const parts: [string, number | undefined][] = [
    ['training steps', trainingSeconds],
    ['evaluations', evaluationSeconds],
    ['saving', savingSeconds],
  ];
  const known = parts.flatMap(([what, seconds]) =>
    seconds === undefined ? [] : [{ what, seconds }],
  );
  if (known.length === 0) return '';
  const rest = runSeconds - known.reduce((sum, { seconds }) => sum + seconds, 0);
  const all =
    known.length === parts.length && rest > 0
      ? [...known, { what: 'preparing and waiting', seconds: rest }]
      : known;
  const share = (seconds: number): string =>
    runSeconds > 0 ? ` (${percent(seconds / runSeconds)})` : '';
  return `Of that ${listed(all.map(({ what, seconds }) => `${lasting(seconds)} in ${what}${share(seconds)}`))}.`;
}

interface CostColumn {
  head: string;
  of: (cost: StudyCost['byModel'][number]) => string | undefined;
}

const timeOf = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : lasting(seconds);

/** What a table of costs has, of what any model's runs know. */
const costColumns: readonly CostColumn[] = [
  { head: 'runs', of: ({ runs }) => whole(runs) },
  { head: 'run time', of: ({ runSeconds }) => lasting(runSeconds) },
  { head: 'training', of: ({ trainingSeconds }) => timeOf(trainingSeconds) },
  { head: 'evaluation', of: ({ evaluationSeconds }) => timeOf(evaluationSeconds) },
  { head: 'saving', of: ({ savingSeconds }) => timeOf(savingSeconds) },
  {
    head: 'training images/s',
    of: ({ imagesPerSecond }) =>
      imagesPerSecond === undefined ? undefined : whole(imagesPerSecond),
  },
  {
    head: 'device busy',
    of: ({ deviceUtilisation }) =>
      deviceUtilisation === undefined ? undefined : percent(deviceUtilisation),
  },
  {
    head: 'most memory',
    of: ({ peakMemoryBytes }) =>
      peakMemoryBytes === undefined ? undefined : bytes(peakMemoryBytes),
  },
];

/** Run time, speed, memory and use of the device by model, and what the whole took. */
export function costTable({ cost }: StudySummary): Html {
  const { runs, runSeconds, deviceUtilisation, peakMemoryBytes, diskBytes, byModel } = cost;
  const columns = costColumns.filter(({ of }) => byModel.some((one) => of(one) !== undefined));
  const rows = byModel.map(
    (one) =>
      html`<tr data-model="${one.model}"><th class="text" scope="row">${modelLabel(one.model)}</th>${columns.map(({ of }) => html`<td>${of(one) ?? '–'}</td>`)}</tr>`,
  );
  const facts = [
    `${counted(runs, 'run')} took ${lasting(runSeconds)} of run time together; runs side by side took less on the clock.`,
    spentOn(cost),
    deviceUtilisation === undefined
      ? ''
      : `Where it is known, the device was busy for ${percent(deviceUtilisation)} of the time.`,
    peakMemoryBytes === undefined
      ? ''
      : `A run’s process held at most ${bytes(peakMemoryBytes)} of memory.`,
    diskBytes === undefined ? '' : `The runs lie in ${bytes(diskBytes)} on the disk.`,
  ];
  return html`<p>${facts.filter((fact) => fact !== '').join(' ')}</p><div class="scroll" tabindex="0" role="region" aria-label="Cost"><table><thead><tr><th class="text">model</th>${columns.map(({ head }) => html`<th>${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div><p class="note">Times are sums over the runs of a model, speed and use of the device their means; device busy: of a CPU, processor time over the time of all threads of a run, above 100 % where threads that decode images add to it; of a GPU, the share of the time in which it computed.</p>`;
}
