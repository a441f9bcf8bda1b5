/** What figures of single runs share. */
import type { FigureSpec } from '../figure.ts';

/** A specification without its title, which also says of which run it is. */
export interface RunFigure extends FigureSpec {
  title: string;
  /** Lines below the title, after the one that names the run. */
  notes?: string[];
}

/** Height of a panel of lines, in pixels. */
export const PANEL_HEIGHT = 240;

/** Width of a panel over taps: all of them have their names. */
export function tapsWidth(taps: readonly string[]): number {
  return Math.max(220, taps.length * 18);
}

/** A horizontal line at a value, with its name beside the panel, where no line crosses it. */
export function namedRule({ at, name }: { at: number; name: string }, y: FigureSpec): FigureSpec[] {
  const data = { values: [{ at, name }] };
  return [
    {
      data,
      mark: { type: 'rule', strokeDash: [4, 3] },
      encoding: { y: { ...y, field: 'at' } },
    },
    {
      data,
      mark: { type: 'text', align: 'left', baseline: 'middle', dx: 5 },
      encoding: { x: { value: 'width' }, y: { ...y, field: 'at' }, text: { field: 'name' } },
    },
  ];
}
