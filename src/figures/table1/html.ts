/** Table 1 as HTML: the table for a page of ours, and a page of its own. */
import { counted, escapeHtml } from '../../util/index.ts';
import { type PrintedCell, type PrintedTable, paperText } from './layout.ts';

/**
 * A `<table class="table1">` without caption, notes and styles. Rows have `data-model`, and cells `data-data`,
 * with the study's own names; `first` (a model's name), `gain`, `paper`, `interval` and `runs` are classes of
 * its parts; the best are `<strong>`.
 */
export function table1Html({ columns, groups }: PrintedTable): string {
  const width = columns.reduce((sum, { hasPaper }) => sum + (hasPaper ? 2 : 1), 1);
  const head = columns.map(({ data, metric, facts, hasPaper }) => {
    const small = [`${metric} ↑`, ...facts].map(escapeHtml).join('<br>');
    return cellsOf(
      'th scope="col"',
      data,
      `${escapeHtml(data)}<br><small>${small}</small>`,
      hasPaper ? 'paper' : undefined,
    );
  });
  const bodies = groups.map(({ model, title, rows }) => {
    const start = `<tr data-model="${escapeHtml(model)}"`;
    const lines = rows.map(({ init, label, cells, paper }) => {
      const values = cells.map((cell, at) =>
        cellsOf(
          cell.reason === undefined ? 'td' : `td title="${escapeHtml(cell.reason)}"`,
          columns[at]?.data ?? '',
          cellText(cell),
          columns[at]?.hasPaper ? paperText(paper[at], cellText) : undefined,
        ),
      );
      return `${start}${init === undefined ? ' class="gain"' : ''}><th scope="row">${escapeHtml(label)}</th>${values.join('')}</tr>`;
    });
    const first = `${start} class="first"><th scope="rowgroup" colspan="${width}">${escapeHtml(title)}</th></tr>`;
    return `<tbody>\n${[first, ...lines].join('\n')}\n</tbody>`;
  });
  return `<table class="table1">
<thead><tr><th scope="col">model, start</th>${head.join('')}</tr></thead>
${bodies.join('\n')}
</table>`;
}

/** A data set's cell, and the paper's beside it where there is one. */
function cellsOf(tag: string, data: string, text: string, paper: string | undefined): string {
  const [name = ''] = tag.split(' ');
  const own = ` data-data="${escapeHtml(data)}"`;
  const beside = paper === undefined ? '' : `<${name} class="paper"${own}>${paper}</${name}>`;
  return `<${tag}${own}>${text}</${name}>${beside}`;
}

const style = `
:root { color-scheme: light dark; }
body { font: 14px/1.5 Inter, system-ui, Helvetica, Arial, sans-serif; margin: 2rem; }
figure { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
figcaption { padding-top: .75rem; max-width: 60rem; }
th, td { padding: .25rem .75rem; text-align: right; vertical-align: top; white-space: nowrap; }
th:first-child { text-align: left; }
th[scope="row"] { font-weight: 400; padding-left: 1.6rem; }
thead { border-top: 2px solid; border-bottom: 1px solid; }
tbody { border-bottom: 1px solid; }
.gain, .paper, small { opacity: .75; font-weight: 400; }
.gain small { opacity: 1; }
`;

/** The text of `table1.html`: a page that asks for nothing from outside. */
export function table1Page(name: string, table: PrintedTable): string {
  const { caption, notes } = table;
  const list =
    notes.length > 0
      ? `\n<ul>\n${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('\n')}\n</ul>`
      : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(name)}: table 1</title>
<style>${style}</style>
</head>
<body>
<figure>
<div class="scroll" tabindex="0" role="region" aria-label="Table 1">
${table1Html(table)}
</div>
<figcaption>${escapeHtml(caption)}</figcaption>
</figure>${list}
</body>
</html>
`;
}

function cellText({ value, deviation, interval, instead, runs, isBest }: PrintedCell): string {
  if (value === undefined) return escapeHtml(instead ?? '');
  const number = deviation === undefined ? value : `${value} ± ${deviation}`;
  return [
    isBest ? `<strong>${number}</strong>` : number,
    ...(interval ? [`<br><small class="interval">[${interval.join(', ')}]</small>`] : []),
    ...(runs === undefined ? [] : [` <small class="runs">(${counted(runs, 'run')})</small>`]),
  ].join('');
}
