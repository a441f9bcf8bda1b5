/** CSV as RFC 4180 has it, for the tables that a study writes. */

export type CsvCell = string | number | boolean | undefined;

/** A field, quoted where a comma, quote or line break asks for it; `undefined` is an empty field. */
function formatField(cell: CsvCell): string {
  if (cell === undefined) return '';
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Header and rows as CSV text with a final newline. Numbers keep all their digits. */
export function formatCsv(columns: readonly string[], rows: readonly CsvCell[][]): string {
  return [columns, ...rows].map((row) => `${row.map(formatField).join(',')}\n`).join('');
}
