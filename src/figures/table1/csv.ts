/** Table 1 as CSV, with all digits. */
import {
  type Aggregate,
  type Cell,
  type CsvCell,
  type DataSummary,
  formatCsv,
  type Gain,
} from '../../results/index.ts';
import { cellOf, comparisonOf, gainRows, noteOf, orderedInits } from './rows.ts';

/** `table1.csv`: one row a model and initialisation or gain, a group of columns a data set. */
export function formatTable1(table: Aggregate): string {
  const columns = ['model', 'parameters', 'row'];
  for (const { name, metric } of table.data) {
    const metricName = metric ?? 'metric';
    columns.push(
      `${name} n`,
      `${name} ${metricName}`,
      `${name} sd`,
      `${name} 95% low`,
      `${name} 95% high`,
      `${name} runs`,
      `${name} note`,
      `${name} iterations to best`,
      `${name} iterations to best sd`,
      `${name} iterations to RI best`,
      `${name} iterations to RI best sd`,
    );
  }
  const rows = table.models.flatMap(({ id: model, parameters }) => [
    ...orderedInits(table, model).map((init) => [
      model,
      parameters,
      init.toUpperCase(),
      ...table.data.flatMap((data) => initCells(data, cellOf(table, data.name, model, init))),
    ]),
    ...gainRows(table.axes.inits).map(({ name, gainOf }) => [
      model,
      parameters,
      name,
      ...table.data.flatMap((data) => {
        const comparison = comparisonOf(table, data.name, model);
        return gainCells(data, comparison && gainOf(comparison));
      }),
    ]),
    ...(gainRows(table.axes.inits).some(({ kind }) => kind === 'reuse')
      ? [
          [
            model,
            parameters,
            '(WT-ST)/WT, 0 to 1 over the study',
            ...table.data.flatMap((data) => {
              const value = comparisonOf(table, data.name, model)?.reuseNormalised;
              return gainCells(data, { value });
            }),
          ],
        ]
      : []),
  ]);
  return formatCsv(columns, rows);
}

function initCells(data: DataSummary, cell: Cell | undefined): CsvCell[] {
  return [
    data.samples,
    cell?.metric?.mean,
    cell?.metric?.deviation,
    cell?.metricInterval?.low,
    cell?.metricInterval?.high,
    cell?.metric?.count ?? 0,
    cell ? noteOf(cell) : undefined,
    cell?.iterationsToBest?.mean,
    cell?.iterationsToBest?.deviation,
    cell?.iterationsToReference?.mean,
    cell?.iterationsToReference?.deviation,
  ];
}

function gainCells(data: DataSummary, gain: Gain | undefined): CsvCell[] {
  const { value, low, high, reason } = gain ?? {};
  const none = undefined;
  return [data.samples, value, none, low, high, none, reason, none, none, none, none];
}
