/** The check as one HTML file that needs nothing else: no script, no font, no address. */
import { escapeHtml } from '../../util/index.ts';
import { type ContactSheet, encodeTile } from './contactSheet.ts';
import type { ClassReport, DataReport, Histogram, SplitPlace } from './report.ts';

const style = `
  :root { color-scheme: light dark; --line: #8884; --bad: #c0392b; --warn: #b9770e; --bar: #4878a8; }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
  p.where { color: #888; margin-top: 0.2rem; }
  table { border-collapse: collapse; } th, td { padding: 0.15rem 0.7rem; text-align: right; }
  th { border-bottom: 1px solid var(--line); font-weight: 600; }
  th:first-child, td:first-child, td.text, th.text { text-align: left; }
  tr.sum td { border-top: 1px solid var(--line); font-weight: 600; }
  .bad { border-left: 4px solid var(--bad); padding-left: 0.8rem; white-space: pre-wrap; }
  .warn { border-left: 4px solid var(--warn); padding-left: 0.8rem; }
  .fine { border-left: 4px solid #27834a; padding-left: 0.8rem; }
  .facts { display: flex; flex-wrap: wrap; gap: 2rem; }
  .bar { background: var(--bar); display: inline-block; height: 0.7rem; vertical-align: middle; }
  .sheet td { padding: 3px; text-align: center; } .sheet img { display: block; width: 128px; }
  .sheet td.text { max-width: 14rem; overflow-wrap: anywhere; }
  .scroll { overflow-x: auto; }
`;

const splitTitles: Record<SplitPlace, string> = {
  train: 'training',
  val: 'validation',
  test: 'test',
  unused: 'unused',
};

/** The page, complete. */
export async function checkPage(
  report: DataReport,
  sheet: ContactSheet | undefined,
): Promise<string> {
  const title = `Data check: ${report.name ?? report.data}`;
  const parts = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="where">${escapeHtml(report.root ?? report.data)}</p>`,
    findings(report),
    report.samples === undefined ? '' : overview(report),
    report.classes.length > 0 ? classTable(report) : '',
    imageSection(report),
    duplicateSection(report),
    sheet && sheet.rows.length > 0 ? await sheetSection(sheet) : '',
    report.notes.length > 0 ? `<h2>Notes</h2>${list(report.notes)}` : '',
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${parts.filter((part) => part !== '').join('\n')}
</body>
</html>
`;
}

function findings({ errors, warnings }: DataReport): string {
  const blocks = [
    ...errors.map((text) => `<p class="bad"><b>Error.</b> ${escapeHtml(text)}</p>`),
    ...warnings.map((text) => `<p class="warn">${escapeHtml(text)}</p>`),
  ];
  return blocks.length > 0 ? blocks.join('\n') : '<p class="fine">Nothing to complain about.</p>';
}

function overview({
  samples,
  classes,
  task,
  metric,
  groups,
  identity,
  images,
}: DataReport): string {
  const facts: [string, string][] = [
    ['Samples', String(samples)],
    [task === 'multilabel' ? 'Labels' : 'Classes', String(classes.length)],
    ['Task', task ?? 'none'],
    ['Metric', metric ?? 'none'],
    [
      'Groups',
      groups
        ? `${groups.count}, the largest of ${groups.largest}${groups.withoutGroup > 0 ? `; ${groups.withoutGroup} samples without` : ''}`
        : 'none known',
    ],
    ['Identity', (identity ?? '').slice(0, 16)],
  ];
  if (images) facts.push(['Readable images', `${images.readable} of ${samples}`]);
  return table(
    [],
    facts.map(([name, value]) => [name, { text: value }]),
  );
}

function classTable({ classes, samples = 0, splits, task }: DataReport): string {
  const places = splits
    ? (['train', 'val', 'test', 'unused'] as const).filter(
        (place) => place !== 'unused' || splits.sizes.unused > 0,
      )
    : [];
  const most = Math.max(1, ...classes.map((one) => one.samples));
  const row = (one: ClassReport): Cell[] => [
    one.name,
    one.samples,
    ...places.map((place) => one.splits?.[place] ?? 0),
    {
      html: `<span class="bar" style="width:${((12 * one.samples) / most).toFixed(2)}rem"></span>`,
    },
  ];
  const sum: Cell[] = ['samples', samples, ...places.map((place) => splits?.sizes[place] ?? 0), ''];
  const header = [
    task === 'multilabel' ? 'label' : 'class',
    'all',
    ...places.map((place) => splitTitles[place]),
    '',
  ];
  return `<h2>${task === 'multilabel' ? 'Labels' : 'Classes'}</h2>${table(header, classes.map(row), sum)}`;
}

function imageSection({ images }: DataReport): string {
  if (!images) return '';
  const { width, height, mean, std, resize } = images;
  const range = (name: string, { least, median, greatest }: typeof width): Cell[] => [
    name,
    least,
    median,
    greatest,
  ];
  const counted = (name: string, values: Histogram): string =>
    table(
      [name, 'images'],
      values.map(({ value, images: count }) => [value, count]),
    );
  const shown = (values: readonly number[]): string[] => values.map((value) => value.toFixed(4));
  return [
    '<h2>Images</h2><div class="facts">',
    table(
      ['pixels', 'least', 'median', 'greatest'],
      [range('width', width), range('height', height)],
    ),
    counted('size', images.sizes),
    counted('channels', images.channels),
    counted('bits', images.bits),
    counted('format', images.formats),
    '</div>',
    `<h2>Statistics of the training split at ${resize} px</h2>`,
    table(
      ['', 'red', 'green', 'blue'],
      [
        ['mean', ...shown(mean)],
        ['standard deviation', ...shown(std)],
      ],
    ),
  ].join('');
}

function duplicateSection({ duplicates, nearDuplicates }: DataReport): string {
  const parts: string[] = [];
  const limit = 100;
  const more = (count: number): string => (count > limit ? `<p>and ${count - limit} more</p>` : '');
  const mark = (differ: boolean): string => (differ ? 'different' : 'same');
  if (duplicates.length > 0) {
    const rows = duplicates
      .slice(0, limit)
      .map(({ ids, splits, labelsDiffer }): Cell[] => [
        ids.join(' = '),
        { text: splits.join(', ') },
        { text: mark(labelsDiffer) },
      ]);
    parts.push('<h2>Byte-identical files</h2>');
    parts.push(table(['files', 'splits', 'labels'], rows), more(duplicates.length));
  }
  if (nearDuplicates.length > 0) {
    const rows = nearDuplicates
      .slice(0, limit)
      .map(({ first, second, distance, correlation, splits, labelsDiffer }): Cell[] => [
        `${first} ~ ${second}`,
        distance,
        correlation.toFixed(3),
        { text: splits.join(', ') },
        { text: mark(labelsDiffer) },
      ]);
    parts.push('<h2>Nearly identical pictures</h2>');
    parts.push(
      '<p>Perceptual hashes that differ in few of 64 bits, and brightness that correlates.</p>',
    );
    parts.push(table(['pictures', 'bits', 'correlation', 'splits', 'labels'], rows));
    parts.push(more(nearDuplicates.length));
  }
  return parts.join('');
}

async function sheetSection({ size, rows }: ContactSheet): Promise<string> {
  const picture = async (pixels: Uint8Array, title: string): Promise<string> => {
    const data = (await encodeTile(pixels, size)).toString('base64');
    return `<td><img alt="${escapeHtml(title)}" src="data:image/jpeg;base64,${data}"></td>`;
  };
  const lines: string[] = [];
  for (const { id, className, evaluated, augmented } of rows) {
    const cells = [await picture(evaluated, `${id}, evaluated`)];
    for (const [epoch, pixels] of augmented.entries()) {
      cells.push(await picture(pixels, `${id}, epoch ${epoch}`));
    }
    lines.push(
      `<tr><td class="text"><b>${escapeHtml(className)}</b><br>${escapeHtml(id)}</td>${cells.join('')}</tr>`,
    );
  }
  const header = ['', 'evaluated', ...(rows[0]?.augmented.map((_, at) => `epoch ${at}`) ?? [])];
  const titles = header.map((name) => `<th style="text-align:center">${name}</th>`).join('');
  return `<h2>As a network sees them</h2><div class="scroll"><table class="sheet"><tr>${titles}</tr>${lines.join('\n')}</table></div>`;
}

type Cell = string | number | { text: string } | { html: string };

function table(header: readonly string[], rows: readonly Cell[][], sum?: readonly Cell[]): string {
  const line = (cells: readonly Cell[], kind: string): string =>
    `<tr${kind}>${cells.map(cell).join('')}</tr>`;
  const head = header.map((name) => `<th>${escapeHtml(name)}</th>`).join('');
  return [
    '<div class="scroll"><table>',
    header.length > 0 ? `<tr>${head}</tr>` : '',
    ...rows.map((row) => line(row, '')),
    sum ? line(sum, ' class="sum"') : '',
    '</table></div>',
  ].join('');
}

function cell(value: Cell): string {
  if (typeof value !== 'object') return `<td>${escapeHtml(String(value))}</td>`;
  return 'html' in value
    ? `<td class="text">${value.html}</td>`
    : `<td class="text">${escapeHtml(value.text)}</td>`;
}

function list(texts: readonly string[]): string {
  return `<ul>${texts.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>`;
}
