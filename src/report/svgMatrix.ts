/** Matrices of squares in a page: strokes by level of the value, and the values themselves for the pointer. */
import type { DrawnMatrix } from '../figures/index.ts';
import { escapeHtml } from '../util/index.ts';
import type { PageParts } from './pageParts.ts';
import type { SvgNode } from './svgTree.ts';

/** Steps of the colours between 0 and 1: one is less than the eye tells. */
const LEVELS = 100;

/** Values in thousandths from −0.1 on, two digits of base 36 each: up to 1.195. */
const [LEAST, MOST] = [-100, 36 ** 2 - 1 - 100];

/**
 * The short form of the group of a matrix; `undefined` where the node is none, or not this one.
 * @param partner the same node on dark paper
 */
export function matrixNode(
  node: SvgNode,
  partner: SvgNode,
  matrix: DrawnMatrix,
  parts: PageParts,
): SvgNode | undefined {
  if (!/\bmark-rect role-mark\b/.test(node.attributes.get('class') ?? '')) return undefined;
  const { rows, columns, rowTitle, columnTitle, values } = matrix;
  const squares = squaresOf(node, partner);
  const size = squares?.[0]?.size ?? 0;
  const placed = new Map(squares?.map((one) => [`${one.y / size},${one.x / size}`, one]));
  const isThis =
    squares?.length === values.filter((value) => value !== undefined).length &&
    values.every(
      (value, at) =>
        (value !== undefined) ===
        placed.has(`${Math.floor(at / columns.length)},${at % columns.length}`),
    );
  if (!isThis || size === 0) return undefined;
  const strokes = new Map<string, string>();
  rows.forEach((_, row) => {
    let [from, last] = [0, ''];
    for (let column = 0; column <= columns.length; column++) {
      const value = values[row * columns.length + column];
      const square = placed.get(`${row},${column}`);
      const stroke =
        column === columns.length || value === undefined || !square
          ? ''
          : parts.level(levelOf(value), square.light, square.dark);
      if (stroke === last) continue;
      if (last !== '') {
        strokes.set(last, `${strokes.get(last) ?? ''}M${from},${row}H${column}`);
      }
      [from, last] = [column, stroke];
    }
  });
  const names = (texts: readonly string[]): string => escapeHtml(texts.join('\t'));
  return {
    name: 'g',
    attributes: new Map([
      ['class', 'matrix'],
      // One square is one unit; strokes run through the middle of their row.
      ['transform', `scale(${size}) translate(0,.5)`],
      ['data-rows', names([rowTitle, ...rows])],
      ['data-columns', names([columnTitle, ...columns])],
      ['data-values', values.map(digits).join('')],
    ]),
    children: [...strokes].map(([stroke, d]) => ({
      name: 'path',
      attributes: new Map([
        ['stroke', stroke],
        ['d', d],
      ]),
      children: [],
      text: '',
    })),
    text: '',
  };
}

const levelOf = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * LEVELS);

function digits(value: number | undefined): string {
  if (value === undefined) return '--';
  const thousandths = Math.min(MOST, Math.max(LEAST, Math.round(value * 1000)));
  return (thousandths - LEAST).toString(36).padStart(2, '0');
}

interface Square {
  x: number;
  y: number;
  size: number;
  light: string;
  dark: string;
}

/** The squares of a group that has nothing else. */
function squaresOf(node: SvgNode, partner: SvgNode): Square[] | undefined {
  const found = node.children.flatMap((child, at): Square[] => {
    const [, x, y, size] =
      /^M(-?[\d.]+),(-?[\d.]+)h([\d.]+)v\3h-\3Z$/.exec(child.attributes.get('d') ?? '') ?? [];
    const light = child.attributes.get('fill');
    const dark = partner.children[at]?.attributes.get('fill');
    if (x === undefined || light === undefined || dark === undefined) return [];
    return [{ x: Number(x), y: Number(y), size: Number(size), light, dark }];
  });
  return found.length > 0 && found.length === node.children.length ? found : undefined;
}
