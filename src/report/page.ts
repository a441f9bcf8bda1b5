/** `report.html`: a study's answer, tables, figures, methods and limits as one file that asks for nothing. */
import { createHash } from 'node:crypto';
import { type Figure, modelLabel, type Table1Options } from '../figures/index.ts';
import type { StudySummary } from '../results/index.ts';
import { counted, escapeHtml, listed, whole, writeFileWhole } from '../util/index.ts';
import { answer } from './answer.ts';
import { glanceTable } from './glance.ts';
import { type Content, Html, html } from './html.ts';
import { limits } from './limits.ts';
import { methods } from './methods.ts';
import { PageParts } from './pageParts.ts';
import { script } from './script.ts';
import { settingsOf } from './settings.ts';
import { styleSheet } from './style.ts';
import { type PageFigure, pageSvg } from './svg.ts';
import { comparisonTable, costTable, dataTable, table1 } from './tables.ts';
import { sentence } from './words.ts';

/** A figure as the page shows it, drawn for both papers. */
export interface ReportFigure extends Omit<Figure, 'spec'>, PageFigure {
  title: string;
}

export interface ReportFigures {
  figures: readonly ReportFigure[];
  /** What the study has no data for, or could not be drawn. */
  missing: readonly { paper: string; needs: string; problem?: string }[];
}

interface Section {
  id: string;
  title: string;
  content: Content;
}

/** Writes the page, whole or not at all. */
export async function writeReportPage(
  summary: StudySummary,
  figures: ReportFigures,
  path: string,
  options: Table1Options = {},
): Promise<void> {
  await writeFileWhole(path, reportPage(summary, figures, options));
}

/** The page. The same summary and figures give the same bytes: it has no date but the newest run's. */
export function reportPage(
  summary: StudySummary,
  { figures, missing }: ReportFigures,
  options: Table1Options = {},
): string {
  const parts = new PageParts();
  const drawn = figures.map((figure) => figureSection(figure, parts));
  const style = styleSheet(parts);
  const policy = [
    "default-src 'none'",
    `style-src ${hashSource(style)}`,
    `script-src ${hashSource(script)}`,
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const title = `${summary.name}: what transfer carries over`;
  const sections: Section[] = [
    { id: 'table-1', title: 'Table 1', content: table1(summary, options) },
    { id: 'figures', title: 'Figures', content: figuresSection(figures, drawn, missing) },
    { id: 'comparisons', title: 'Comparisons', content: comparisonTable(summary) },
    {
      id: 'methods',
      title: 'Methods',
      content: methods(summary).map(
        ({ title: name, text }) => html`<h3>${name}</h3><p>${text}</p>`,
      ),
    },
    { id: 'data', title: 'Data', content: dataTable(summary) },
    { id: 'environment', title: 'Environment', content: environment(summary) },
    { id: 'cost', title: 'Cost', content: costTable(summary) },
    { id: 'missing', title: 'Missing and failed', content: unfinished(summary) },
    {
      id: 'limits',
      title: 'Limits',
      content: html`<ul>${limits(summary).map((text) => html`<li>${text}</li>`)}</ul>`,
    },
    { id: 'reproduce', title: 'How to reproduce', content: reproduce(summary) },
    { id: 'references', title: 'References', content: references() },
  ];
  const body = html`<header class="top"><h1>${title}</h1>${summary.description === undefined ? '' : html`<p>${summary.description}</p>`}<p class="muted">${facts(summary)}</p></header>
<main>
${answerSection(summary)}
<nav aria-label="On this page">${sections.map(({ id, title: name }) => html`<a href="#${id}">${name}</a> `)}</nav>
${controls(summary)}
${sections.map(({ id, title: name, content }) => html`<h2 id="${id}">${name}</h2>\n${content}\n`)}
</main>
<div id="tip" hidden></div><div id="spoken" role="status" class="sr" aria-live="polite"></div>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
${parts.definitions()}${body.text}
<script type="application/json" id="axes">${axesJson(summary)}</script>
<script>${script}</script>
</body>
</html>
`;
}

const hashSource = (text: string): string =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** What the toggles choose among, longest names first: one may be part of another. */
function axesJson({ axes }: StudySummary): string {
  const byLength = (a: { label: string }, b: { label: string }): number =>
    b.label.length - a.label.length;
  const names = {
    data: axes.data.map((id) => ({ id, label: id })).sort(byLength),
    model: axes.models
      .flatMap((id) => [...new Set([id, modelLabel(id)])].map((label) => ({ id, label })))
      .sort(byLength),
  };
  // In a script element only "<" could end it.
  return JSON.stringify(names).replaceAll('<', '\\u003c');
}

function facts({ axes, rows, planned, newest, environment: { devices } }: StudySummary): string {
  const parts = [
    `${counted(axes.data.length, 'data set')}, ${counted(axes.models.length, 'model')}, ${counted(axes.inits.length, 'initialisation')}, ${counted(axes.seeds.length, 'seed')}`,
    `${whole(rows.length)} of ${whole(planned)} runs finished`,
    ...(devices.length > 0 ? [`on ${listed(devices)}`] : []),
    ...(newest === undefined ? [] : [`newest of ${newest.replace('T', ' ').slice(0, 16)} UTC`]),
  ];
  return `${parts.join('; ')}.`;
}

function answerSection(summary: StudySummary): Html {
  const settings = settingsOf(summary);
  const { headline, findings, recommendations, sureness, rules } = answer(summary, settings);
  return html`<p class="lead" id="answer"><b>${headline}</b></p>
<div class="questions">${findings.map(({ question, answer: text }) => html`<div><h3>${question}</h3><p>${text}</p></div>`)}</div>
${glanceTable(settings)}
<p>${sureness}</p>
<h3>What to do</h3>
${recommendations.map(({ data, text }) => html`<div class="advice" data-data="${data}"><p><b>${data}.</b> ${text}</p></div>`)}
<details><summary>In words, by data set and model</summary>${findings.map(({ question, details }) => (details.length > 0 ? html`<h3>${question}</h3><ul>${details.map(({ data, model, text }) => html`<li data-data="${data}" data-model="${model}"><b>${data}, ${modelLabel(model)}.</b> ${text}</li>`)}</ul>` : ''))}</details>
<details><summary>The rules behind these words</summary><ul>${rules.map((rule) => html`<li>${rule}</li>`)}</ul></details>`;
}

function controls({ axes }: StudySummary): Html {
  const select = (name: string, label: string, all: string, ids: readonly string[]): Html =>
    html`<label>${label} <select name="${name}"><option value="">${all}</option>${ids.map((id) => html`<option value="${id}">${name === 'model' ? modelLabel(id) : id}</option>`)}</select></label>`;
  return html`<div class="controls" role="group" aria-label="What is shown">${select('data', 'Data set', 'all', axes.data)}${select('model', 'Model', 'all', axes.models)}<button type="button" id="theme">Dark</button></div>`;
}

function figureSection(figure: ReportFigure, parts: PageParts): Html {
  const { id, paper, title, model, data, caption } = figure;
  // A figure of one data set or model alone goes with it when another is chosen.
  const ofModel = model === undefined ? '' : html` data-model="${model}"`;
  const ofData = data === undefined ? '' : html` data-data="${data}"`;
  return html`<figure id="${id}"${ofData}${ofModel}><h3>${title} <span class="muted">(${paper})</span></h3><div class="plot" tabindex="0" role="group" aria-label="${title}. Arrow keys step through the values.">${new Html(pageSvg(figure, parts))}</div><figcaption>${caption}</figcaption></figure>`;
}

/** A list of the figures, the figures, and what is not there. */
function figuresSection(
  figures: readonly ReportFigure[],
  drawn: readonly Html[],
  missing: ReportFigures['missing'],
): Html {
  const list =
    figures.length > FEW_FIGURES
      ? html`<details><summary>All ${figures.length} figures</summary><ul>${figures.map(({ id, title, paper }) => html`<li><a href="#${id}">${title}</a> <span class="muted">(${paper})</span></li>`)}</ul></details>`
      : '';
  const lead =
    drawn.length > 0
      ? html`<p class="note">Point at a mark for its values, or focus a figure and step through them with the arrow keys. A chosen data set or model fades the panels and lines of the others.</p>`
      : html`<p>The study has the data of no figure yet.</p>`;
  return html`${lead}${list}${drawn}${missingFigures(missing)}`;
}

/** More figures than this have a list before them. */
const FEW_FIGURES = 4;

function missingFigures(missing: ReportFigures['missing']): Html | string {
  if (missing.length === 0) return '';
  return html`<details><summary>${counted(missing.length, 'figure')} not drawn</summary><ul>${missing.map(({ paper, needs, problem }) => html`<li>${paper}: ${problem === undefined ? `needs ${needs}` : `could not be drawn (${problem})`}.</li>`)}</ul></details>`;
}

function environment({ environment: found }: StudySummary): Html {
  const entries: [string, string][] = [
    ['Devices', listed(found.devices)],
    ['Precision', listed(found.precisions)],
    ['Threads of a run', listed(found.threads.map(String))],
    ...Object.entries(found.versions).map(([name, versions]): [string, string] => [
      name,
      listed(versions),
    ]),
  ];
  return html`<dl class="facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value === '' ? '–' : value}</dd>`)}</dl>`;
}

function unfinished({ unfinished: runs, warnings, planned }: StudySummary): Html {
  const list =
    runs.length === 0
      ? html`<p>All ${whole(planned)} planned runs are finished.</p>`
      : html`<p>${whole(runs.length)} of ${whole(planned)} planned runs are not finished.</p><div class="scroll"><table><thead><tr><th class="text">run</th><th class="text">status</th><th class="text">why</th></tr></thead><tbody>${runs.slice(0, 200).map(({ title, status, reason }) => html`<tr><td class="text">${title}</td><td class="text">${status}</td><td class="wrap">${reason}</td></tr>`)}</tbody></table></div>${runs.length > 200 ? html`<p class="note">${whole(runs.length - 200)} more: carryover study status names them all.</p>` : ''}`;
  const warned =
    warnings.length === 0
      ? ''
      : html`<h3>Warnings</h3><ul>${warnings.slice(0, 50).map(({ text, runs: count }) => html`<li>${sentence(text)}${count > 1 ? html` <span class="muted">(${whole(count)} times)</span>` : ''}</li>`)}</ul>${warnings.length > 50 ? html`<p class="note">${whole(warnings.length - 50)} more in the runs’ own files.</p>` : ''}`;
  return html`${list}${warned}`;
}

function reproduce({ folder, axes, environment: { versions, threads } }: StudySummary): Html {
  const made = Object.entries(versions)
    .map(([name, all]) => `${name} ${all.join(' or ')}`)
    .join(', ');
  return html`<pre>carryover study run ${folder}/study.yaml</pre>
<p><code>study.yaml</code> in the study’s folder has every setting and default written out, with the paths of this machine; <code>splits/</code> says which image is in which split. Seeds ${listed(axes.seeds.map(String))}. Made with ${made === '' ? 'versions that no run has told' : made}${threads.length > 0 ? `, ${listed(threads.map(String), 'or')} thread(s) a run` : ''}: the same versions, processor and threads give the same bits, others the same numbers up to rounding.</p>
<p>This page, the tables and the figures are made from the files of the study’s folder alone:</p>
<pre>carryover study report ${folder}</pre>`;
}

function references(): Html {
  return html`<ul><li>C. Matsoukas, J. F. Haslum, M. Sorkhei, M. Söderberg, K. Smith: What Makes Transfer Learning Work For Medical Images: Feature Reuse &amp; Other Factors. CVPR 2022. (WT, ST, RI, WT-ST-n/m, the gains and the figures.)</li><li>B. Efron: Bootstrap methods: another look at the jackknife. Annals of Statistics 7, 1979.</li><li>S. Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 1979.</li></ul>`;
}
