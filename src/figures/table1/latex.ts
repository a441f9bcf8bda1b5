/** Table 1 as LaTeX, with booktabs. */
import { counted } from '../../util/index.ts';
import { type PrintedCell, type PrintedTable, paperText } from './layout.ts';

/** The text of `table1.tex`: a `table` environment to `\input`. */
export function table1Latex({ columns, groups, caption, notes }: PrintedTable): string {
  const count = columns.reduce((sum, { hasPaper }) => sum + (hasPaper ? 2 : 1), 0);
  const head = columns.flatMap(({ data, metric, hasPaper }) => [
    `\\textbf{${escaped(data)}}, ${escaped(metric)} $\\uparrow$`,
    ...(hasPaper ? ['paper'] : []),
  ]);
  const facts = columns.flatMap(({ facts: own, hasPaper }) => [
    `{\\footnotesize ${own.map(escaped).join(', ')}}`,
    ...(hasPaper ? [''] : []),
  ]);
  const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
  const body = groups.map((group) =>
    group.rows.map(({ init, label, cells, paper }, at) =>
      [
        ...(init === undefined && group.rows[at - 1]?.init !== undefined
          ? [`    \\cmidrule(l){2-${count + 2}}`]
          : []),
        line([
          at === 0 ? escaped(group.title) : '',
          escaped(label),
          ...cells.flatMap((cell, column) => [
            cellText(cell),
            ...(columns[column]?.hasPaper ? [paperText(paper[column], cellText)] : []),
          ]),
        ]),
      ].join('\n'),
    ),
  );
  return `${[
    '% needs \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${escaped(caption)}}`,
    '  \\label{tab:initialisations}',
    `  \\begin{tabular}{ll${'r'.repeat(count)}}`,
    '    \\toprule',
    line(['Model', '', ...head]),
    line(['', '', ...facts]),
    ...body.flatMap((lines) => ['    \\midrule', ...lines]),
    '    \\bottomrule',
    '  \\end{tabular}',
    ...(notes.length > 0
      ? [`  \\par\\smallskip{\\footnotesize ${notes.map(escaped).join('; ')}.}`]
      : []),
    '\\end{table}',
  ].join('\n')}\n`;
}

function cellText({ value, deviation, interval, instead, runs, isBest }: PrintedCell): string {
  if (value === undefined) return escaped(instead ?? '');
  const number = deviation === undefined ? value : `${value} \\pm ${deviation}`;
  return [
    inMathMode(isBest ? `\\mathbf{${number}}` : number),
    ...(interval ? [`{\\scriptsize ${inMathMode(`[${interval.join(', ')}]`)}}`] : []),
    ...(runs === undefined ? [] : [`{\\scriptsize (${counted(runs, 'run')})}`]),
  ].join(' ');
}

/** A formula, in which the sign of numbers is LaTeX's own. */
const inMathMode = (text: string): string => `$${text.replaceAll('−', '-')}$`;

const commands: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  κ: '$\\kappa$',
  '±': '$\\pm$',
  '−': '$-$',
  '–': '--',
  '’': "'",
};

/** Text in which LaTeX reads nothing but text. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[\\~^<>κ±−–’&%$#_{}]/gu, (character) => commands[character] ?? `\\${character}`)
    .replaceAll('\n', ' ');
}
