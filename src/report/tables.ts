/** The tables of the page: table 1, comparisons, data, cost. */
import {
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
