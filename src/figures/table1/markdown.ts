/** Table 1 as Markdown (GitHub's tables). */
import { counted, escapeMarkdown } from '../../util/index.ts';
import { type PrintedCell, type PrintedTable, paperText } from './layout.ts';

/** The text of `table1.md`. */
export function table1Markdown({ columns, groups, caption, notes }: PrintedTable): string {
  const head = [
    'model',
    '',
    ...columns.flatMap(({ data, metric, facts, hasPaper }) => [
      escapeMarkdown([`${data}, ${metric} ↑`, ...facts].join(', ')),
      ...(hasPaper ? ['paper'] : []),
    ]),
  ];
  const rows = groups.flatMap((group) =>
    group.rows.map(({ label, cells, paper }, row) => [
      row === 0 ? escapeMarkdown(group.title) : '',
      escapeMarkdown(label),
      ...cells.flatMap((cell, at) => [
        cellText(cell),
        ...(columns[at]?.hasPaper ? [paperText(paper[at], cellText)] : []),
      ]),
    ]),
  );
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return `${[
    line(head),
    line(head.map((_, at) => (at < 2 ? '---' : '---:'))),
    ...rows.map(line),
    '',
    escapeMarkdown(caption),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${escapeMarkdown(note)}`)] : []),
  ].join('\n')}\n`;
}

function cellText({ value, deviation, interval, instead, runs, isBest }: PrintedCell): string {
  if (value === undefined) return escapeMarkdown(instead ?? '');
  const number = deviation === undefined ? value : `${value} ± ${deviation}`;
  return [
    isBest ? `**${number}**` : number,
    ...(interval ? [`[${interval.join(', ')}]`] : []),
    ...(runs === undefined ? [] : [`(${counted(runs, 'run')})`]),
  ].join(' ');
}
