/** Table 1 as Markdown (GitHub's tables). */
import { counted } from '../caption.ts';
import { type PrintedCell, type PrintedTable, paperText } from './layout.ts';

/** The text of `table1.md`. */
export function table1Markdown({ columns, groups, caption, notes }: PrintedTable): string {
  const head = [
    'model',
    '',
    ...columns.flatMap(({ data, metric, facts, hasPaper }) => [
      escaped([`${data}, ${metric} ↑`, ...facts].join(', ')),
      ...(hasPaper ? ['paper'] : []),
    ]),
  ];
  const rows = groups.flatMap((group) =>
    group.map(({ model, label, cells, paper }) => [
      model === undefined ? '' : escaped(model),
      escaped(label),
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
    escaped(caption),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${escaped(note)}`)] : []),
  ].join('\n')}\n`;
}

function cellText({ value, deviation, interval, instead, runs, isBest }: PrintedCell): string {
  if (value === undefined) return escaped(instead ?? '');
  const number = deviation === undefined ? value : `${value} ± ${deviation}`;
  return [
    isBest ? `**${number}**` : number,
    ...(interval ? [`[${interval.join(', ')}]`] : []),
    ...(runs === undefined ? [] : [`(${counted(runs, 'run')})`]),
  ].join(' ');
}

/** Text in which Markdown reads nothing but text. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|#~]/g, '\\$&').replaceAll('\n', ' ');
}
