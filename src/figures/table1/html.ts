/** Table 1 as HTML: a fragment for a page, and a page of its own. */
import { escapeHtml } from '../../util/index.ts';
import { counted } from '../caption.ts';
import { type PrintedCell, type PrintedTable, paperText } from './layout.ts';

/**
 * A `<table class="table1">` with its caption and notes, without styles: `.interval`, `.paper` and `.gain` are
 * classes of its parts; the best are `<strong>`.
 */
export function table1Fragment({ columns, groups, caption, notes }: PrintedTable): string {
  const head = columns
    .map(({ data, metric, facts, hasPaper }) => {
      const title = `${escapeHtml(data)}, ${escapeHtml(metric)} ↑`;
      const small = facts.length > 0 ? `<br><small>${escapeHtml(facts.join(', '))}</small>` : '';
      return `<th scope="col">${title}${small}</th>${hasPaper ? '<th scope="col" class="paper">paper</th>' : ''}`;
    })
    .join('');
  const bodies = groups.map((group) => {
    const rows = group.map(({ model, label, cells, paper, isGain }) => {
      const first =
        model === undefined
          ? ''
          : `<th scope="rowgroup" rowspan="${group.length}">${escapeHtml(model)}</th>`;
      const values = cells
        .map(
          (cell, at) =>
            `<td>${cellText(cell)}</td>${columns[at]?.hasPaper ? `<td class="paper">${paperText(paper[at], cellText)}</td>` : ''}`,
        )
        .join('');
      return `<tr${isGain ? ' class="gain"' : ''}>${first}<th scope="row">${escapeHtml(label)}</th>${values}</tr>`;
    });
    return `<tbody>\n${rows.join('\n')}\n</tbody>`;
  });
  const list =
    notes.length > 0
      ? `\n<ul class="table1-notes">\n${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('\n')}\n</ul>`
      : '';
  return `<table class="table1">
<caption>${escapeHtml(caption)}</caption>
<thead><tr><th scope="col">model</th><th scope="col"></th>${head}</tr></thead>
${bodies.join('\n')}
</table>${list}`;
}

const style = `
:root { color-scheme: light dark; }
body { font: 14px/1.5 Inter, system-ui, Helvetica, Arial, sans-serif; margin: 2rem; }
table { border-collapse: collapse; }
caption { caption-side: bottom; text-align: left; padding-top: .75rem; max-width: 60rem; }
th, td { padding: .25rem .75rem; text-align: right; vertical-align: top; white-space: nowrap; }
th[scope="row"], th[scope="rowgroup"], thead th:first-child { text-align: left; }
th[scope="row"] { font-weight: 400; }
thead { border-top: 2px solid; border-bottom: 1px solid; }
tbody { border-bottom: 1px solid; }
.interval, .runs, .paper, small { opacity: .75; font-weight: 400; }
`;

/** The text of `table1.html`: a page that asks for nothing from outside. */
export function table1Page(name: string, table: PrintedTable): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(name)}: table 1</title>
<style>${style}</style>
</head>
<body>
${table1Fragment(table)}
</body>
</html>
`;
}

function cellText({ value, deviation, interval, instead, runs, isBest }: PrintedCell): string {
  if (value === undefined) return escapeHtml(instead ?? '');
  const number = deviation === undefined ? value : `${value} ± ${deviation}`;
  return [
    isBest ? `<strong>${number}</strong>` : number,
    ...(interval ? [`<small class="interval">[${interval.join(', ')}]</small>`] : []),
    ...(runs === undefined ? [] : [`<small class="runs">(${counted(runs, 'run')})</small>`]),
  ].join(' ');
}
