/** What was found of every data set and model, side by side: differences drawn on one scale, and how sure they are. */
import { modelLabel } from '../figures/index.ts';
import { decimal } from '../util/index.ts';
import { Html, html } from './html.ts';
import { certaintyWords, type Difference, RECOVERED, type Setting } from './settings.ts';
import { metricName, percent, signed } from './words.ts';

/** More settings than this are folded away. */
const MOST_SHOWN = 12;

/** Pixels of the drawing in a row. */
const [WIDTH, HEIGHT] = [120, 14];

interface Column {
  head: Html;
  cell: (setting: Setting) => Html;
}

/** The table; nothing where no data set and model has been compared. */
export function glanceTable(all: readonly Setting[]): Html | string {
  const settings = all.filter(({ transfer }) => transfer.certainty !== 'none');
  if (settings.length === 0) return '';
  const columns = columnsOf(settings);
  const rows = settings.map(
    (setting) =>
      html`<tr data-data="${setting.data}" data-model="${setting.model}"><th class="text" scope="row">${setting.data}<br><small>${modelLabel(setting.model)}, ${metricName(setting.metric)}</small></th>${columns.map(({ cell }) => cell(setting))}</tr>`,
  );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Every data set and model"><table class="glance"><thead><tr><th class="text">data set, model</th>${columns.map(({ head }) => head)}</tr></thead><tbody>${rows}</tbody></table></div>`;
  const note = html`<p class="note">WT − RI: mean difference of the test metric over seeds, with its 95 % interval; the grey line marks no difference. ${explained(settings)}</p>`;
  return settings.length > MOST_SHOWN
    ? html`<details><summary>All ${settings.length} combinations of data set and model side by side</summary>${table}${note}</details>`
    : html`${table}${note}`;
}

/** What the columns behind the differences are: sentences, of those that are there. */
function explained(settings: readonly Setting[]): string {
  return [
    ...(hasReuse(settings)
      ? ['Feature reuse: the part of it that goes when ST takes WT’s place.']
      : []),
    ...(hasSweep(settings)
      ? [`Modules to keep: the fewest that bring back ${percent(RECOVERED)} of WT − ST.`]
      : []),
    ...(hasDrops(settings)
      ? ['Costliest layer: that which WT misses most when it is put back to its initial state.']
      : []),
  ].join(' ');
}

const hasReuse = (settings: readonly Setting[]): boolean =>
  settings.some(({ reuseOfGain }) => reuseOfGain !== undefined);
const hasSweep = (settings: readonly Setting[]): boolean =>
  settings.some(({ kept }) => kept?.isSwept);
const hasDrops = (settings: readonly Setting[]): boolean =>
  settings.some(({ drops }) => drops.length > 0);

function columnsOf(settings: readonly Setting[]): Column[] {
  const draw = drawing(settings.map(({ transfer }) => transfer));
  const reuse: Column = {
    head: html`<th>feature reuse of it</th>`,
    cell: ({ reuseOfGain }) =>
      reuseOfGain
        ? html`<td>${percent(reuseOfGain.share)}${bounds(reuseOfGain.interval, percent)}</td>`
        : html`<td>–</td>`,
  };
  const kept: Column = {
    head: html`<th>modules to keep</th>`,
    cell: ({ kept: found }) =>
      html`<td>${found?.isSwept ? `${found.kept} of ${found.modules}` : '–'}</td>`,
  };
  const costliest: Column = {
    head: html`<th class="text">costliest layer</th>`,
    cell: ({ drops: [first] }) =>
      html`<td class="text">${first?.value && first.value.mean > 0 ? `${first.of} (−${decimal(first.value.mean)})` : '–'}</td>`,
  };
  return [
    {
      head: html`<th colspan="2">WT − RI</th>`,
      cell: ({ transfer }) =>
        html`<td class="drawn">${draw(transfer)}</td><td>${signed(transfer.difference ?? 0)}${bounds(transfer.interval, signed)}</td>`,
    },
    {
      head: html`<th class="text">how sure</th>`,
      cell: ({ transfer }) =>
        html`<td class="text">${certaintyWords[transfer.certainty].replace(/,.*/, '')}</td>`,
    },
    ...(hasReuse(settings) ? [reuse] : []),
    ...(hasSweep(settings) ? [kept] : []),
    ...(hasDrops(settings) ? [costliest] : []),
  ];
}

function bounds(
  interval: { low: number; high: number } | undefined,
  show: (value: number) => string,
): Html | string {
  return interval ? html`<br><small>${show(interval.low)} to ${show(interval.high)}</small>` : '';
}

/** Draws differences on the scale that all of some have in common. */
function drawing(all: readonly Difference[]): (one: Difference) => Html {
  const values = all.flatMap(({ difference = 0, interval }) => [
    difference,
    interval?.low ?? 0,
    interval?.high ?? 0,
  ]);
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const place = (value: number): string =>
    (most > least ? 6 + ((value - least) / (most - least)) * (WIDTH - 12) : WIDTH / 2).toFixed(1);
  return ({ difference = 0, interval, certainty }) => {
    const line = interval
      ? `<path d="M${place(interval.low)},${HEIGHT / 2}H${place(interval.high)}"/>`
      : '';
    const marks = `<path class="zero" d="M${place(0)},0V${HEIGHT}"/>${line}<circle cx="${place(difference)}" cy="${HEIGHT / 2}" r="3.5"/>`;
    return new Html(
      `<svg class="${certainty}" width="${WIDTH}" height="${HEIGHT}" aria-hidden="true">${marks}</svg>`,
    );
  };
}
