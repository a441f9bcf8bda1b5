/**
 * Figures inside a page: one SVG for light and dark paper, as small as it can be without a look or a value
 * lost. What a page has thousands of is said once: shapes of points, clips, what the values of marks are
 * called. The squares of a matrix become strokes of a hundred colours, their values a text beside them.
 */
import type { DrawnMatrix } from '../figures/index.ts';
import type { PageParts } from './pageParts.ts';
import { matrixNode } from './svgMatrix.ts';
import { hoist, slim } from './svgSlim.ts';
import { formatSvg, parseSvg, type SvgNode } from './svgTree.ts';

/** Attributes that hold a colour. */
const painted = ['fill', 'stroke', 'stop-color'];
const isColour = (value: string | undefined): value is string =>
  value !== undefined && /^(#[0-9a-fA-F]{3,8}|rgba?\()/.test(value);

/**
 * The SVG of a figure for a page.
 * @param matrices of the figure, in the order in which they are drawn
 */
export function pageSvg(
  light: string,
  dark: string,
  parts: PageParts,
  matrices: readonly DrawnMatrix[] = [],
): string {
  const [first, second] = [parseSvg(light), parseSvg(dark)];
  // Drawings that differ in more than colour: the light one, on its own paper, serves for both.
  const partner = isAlike(first, second) ? second : first;
  const left = [...matrices];
  const drawn = slim(colour(first, partner, parts, left), parts);
  drawn.attributes.set('aria-hidden', 'true');
  return formatSvg(hoist(drawn));
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
