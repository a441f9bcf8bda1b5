/**
 * What a mark tells of itself: to the pointer in Vega's viewers (`tooltip`), and in the SVG to screen readers
 * and to the report's page (`description`), the same fields in the same words.
 */
import type { FigureSpec } from './figure.ts';

/** A field of the data, and what it is called. A mark whose datum has no such field leaves it out. */
export interface Told {
  field: string;
  title: string;
  /** d3's format of a number; text as it is where absent. */
  format?: string;
}

export interface ToldOf {
  /** A property of the mark. */
  description: { expr: string };
  /** A channel of its encoding. */
  tooltip: FigureSpec[];
}

/** The description, `title: value; title: value`, and the tooltip of some fields. */
export function told(fields: readonly Told[]): ToldOf {
  const parts = fields.map(({ field, title, format }) => {
    const value = `datum[${JSON.stringify(field)}]`;
    const text = format === undefined ? value : `format(${value}, ${JSON.stringify(format)})`;
    return `(isValid(${value}) ? ${JSON.stringify(`; ${title}: `)} + ${text} : '')`;
  });
  return {
    description: { expr: `slice(${parts.join(' + ')}, 2)` },
    tooltip: fields.map(({ field, title, format }) => ({
      field,
      title,
      ...(format === undefined ? { type: 'nominal' } : { type: 'quantitative', format }),
    })),
  };
}
