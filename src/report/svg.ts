/**
 * Figures inside a page: one SVG for light and dark paper, as small as it can be without a look or a value
 * lost. What a page has thousands of is said once: shapes of points, clips, what the values of marks are
 * called. The squares of a matrix become strokes of a hundred colours, their values a text beside them.
 */
import type { DrawnMatrix } from '../figures/index.ts';
import { escapeHtml } from '../util/index.ts';
import type { PageParts } from './pageParts.ts';
import { matrixNode } from './svgMatrix.ts';
import { hoist, slim } from './svgSlim.ts';
import { formatSvg, parseSvg, type SvgNode } from './svgTree.ts';

/** Attributes that hold a colour. */
const painted = ['fill', 'stroke', 'stop-color'];
const isColour = (value: string | undefined): value is string =>
  value !== undefined && /^(#[0-9a-fA-F]{3,8}|rgba?\()/.test(value);

export interface PageFigure {
  /** The drawings on light and on dark paper. */
  svg: string;
  darkSvg: string;
  /** Stands over the figure in the page, and not in the drawing once more. */
  title?: string;
  /** Its matrices, in the order in which they are drawn. */
  matrices?: readonly DrawnMatrix[];
}

/** The SVG of a figure for a page. */
export function pageSvg(
  { svg, darkSvg, title, matrices = [] }: PageFigure,
  parts: PageParts,
): string {
  const [first, second] = [untitled(parseSvg(svg), title), untitled(parseSvg(darkSvg), title)];
  // Drawings that differ in more than colour: the light one, on its own paper, serves for both.
  const partner = isAlike(first, second) ? second : first;
  const left = [...matrices];
  const drawn = slim(colour(first, partner, parts, left), parts);
  drawn.attributes.set('aria-hidden', 'true');
  return formatSvg(hoist(drawn));
}

/** Pixels from the top that a drawing's title takes. */
const TITLE_HEIGHT = 20;

/** The drawing without its title, if that is the one, or its beginning. Panels keep theirs, and so does a line below it. */
function untitled(root: SvgNode, title: string | undefined): SvgNode {
  const wanted = title === undefined ? undefined : escapeHtml(title);
  const isTitle = ({ attributes, children }: SvgNode): boolean =>
    /\brole-title-text\b/.test(attributes.get('class') ?? '') &&
    children.some(({ text }) => text !== '' && wanted?.startsWith(text));
  let isFound = false;
  const rest = (node: SvgNode): SvgNode => {
    if (/\brole-scope\b/.test(node.attributes.get('class') ?? '')) return node;
    const children = node.children.filter((child) => !isTitle(child));
    if (children.length < node.children.length) isFound = true;
    return { ...node, children: children.map(rest) };
  };
  const drawn = rest(root);
  if (!isFound) return root;
  const [x = 0, y = 0, width = 0, height = 0] = (root.attributes.get('viewBox') ?? '')
    .split(' ')
    .map(Number);
  const lower = height - TITLE_HEIGHT;
  drawn.attributes.set('height', String(lower));
  drawn.attributes.set('viewBox', [x, y + TITLE_HEIGHT, width, lower].join(' '));
  return drawn;
}

/** Whether two drawings differ in colours alone. */
function isAlike(one: SvgNode, other: SvgNode): boolean {
  return (
    one.name === other.name &&
    one.text === other.text &&
    one.attributes.size === other.attributes.size &&
    one.children.length === other.children.length &&
    [...one.attributes].every(
      ([key, value]) =>
        other.attributes.get(key) === value ||
        (painted.includes(key) && isColour(value) && isColour(other.attributes.get(key))),
    ) &&
    one.children.every((child, at) => {
      const beside = other.children[at];
      return beside !== undefined && isAlike(child, beside);
    })
  );
}

/** The drawing with colours by name, and its matrices in their short form. */
function colour(
  node: SvgNode,
  partner: SvgNode,
  parts: PageParts,
  matrices: DrawnMatrix[],
): SvgNode {
  const [next] = matrices;
  const matrix = next && matrixNode(node, partner, next, parts);
  if (matrix) {
    matrices.shift();
    return matrix;
  }
  const attributes = [...node.attributes].map(([key, value]): [string, string] => {
    if (!painted.includes(key) || !isColour(value)) return [key, value];
    return [key, parts.colour(value, partner.attributes.get(key) ?? value)];
  });
  return {
    ...node,
    attributes: new Map(attributes),
    children: node.children.map((child, at) =>
      colour(child, partner.children[at] ?? child, parts, matrices),
    ),
  };
}
