/** A drawing of Vega's without what does not show, and with what many of its elements share said once. */
import type { PageParts } from './pageParts.ts';
import { formatSvg, type SvgNode } from './svgTree.ts';

/** Attributes without an effect in the page, or that a strict content security policy forbids. */
const dropped = new Set([
  'aria-describedby',
  'aria-hidden',
  'aria-labelledby',
  'aria-roledescription',
  'class',
  'font-family',
  'pointer-events',
  'role',
  'style',
  'version',
  'xmlns',
  'xmlns:xlink',
]);

/** Values that an attribute has where it is absent. */
const usual = new Map([
  ['opacity', '1'],
  ['stroke-dasharray', '1,0'],
  ['stroke-width', '1'],
  ['text-anchor', 'start'],
  ['transform', 'translate(0,0)'],
]);

/** Attributes that elements take over from their group. */
const inherited = [
  'fill',
  'fill-opacity',
  'font-size',
  'font-weight',
  'stroke',
  'stroke-dasharray',
  'stroke-opacity',
  'stroke-width',
  'text-anchor',
];

/** The classes of groups that the page asks for, by Vega's. */
const classes: readonly (readonly [RegExp, string])[] = [
  [/\brole-scope\b/, 'panel'],
  [/\brole-title\b/, 'title'],
  [/\broot\b/, 'root'],
  [/\bmark-(?:line|area|rule) role-mark\b/, 'lines'],
  [/\bmark-symbol role-mark\b/, 'points'],
  [/\bmark-rect role-mark\b/, 'bars'],
  [/^matrix$/, 'matrix'],
];

interface Slimmer {
  /** Ids of clips in the page by those in the drawing. */
  clips: ReadonlyMap<string, string>;
  parts: PageParts;
}

/**
 * The drawing without what does not show. Marks that tell values have them in `data-v`, called by `data-k` of
 * their group, both in fields between tabs; panels have what they are of in `data-p`.
 */
export function slim(root: SvgNode, parts: PageParts): SvgNode {
  const clips = new Map<string, string>();
  collectClips(root, clips, parts);
  const [drawn] = slimmed(root, '', { clips, parts });
  return drawn ?? root;
}

function collectClips(node: SvgNode, clips: Map<string, string>, parts: PageParts): void {
  for (const child of node.children) {
    const id = child.attributes.get('id');
    if (child.name !== 'clipPath' || id === undefined) collectClips(child, clips, parts);
    else {
      const shape = child.children.map(formatSvg).join('');
      clips.set(
        id,
        parts.shared((own) => `<clipPath id="${own}">${shape}</clipPath>`),
      );
    }
  }
}

/** What an element becomes: nothing, itself, or what is in it. */
function slimmed(node: SvgNode, kind: string, slimmer: Slimmer): SvgNode[] {
  const { name, text } = node;
  const vega = node.attributes.get('class') ?? '';
  const isFrame = vega === 'background' || vega === 'foreground';
  if (name === 'title' || name === 'desc' || name === 'clipPath') return [];
  slimmer.parts.letters(text);
  if (isFrame && !node.attributes.has('fill') && !node.attributes.has('stroke')) return [];
  const named = classes.find(([pattern]) => pattern.test(vega))?.[1];
  const own = named ?? kind;
  const attributes = attributesOf(node, own, slimmer);
  const all = node.children.flatMap((child) => slimmed(child, own, slimmer));
  if (name !== 'g' && name !== 'defs') {
    const drawn = { name, attributes, children: all, text };
    return [name === 'path' && own === 'points' ? usedShape(drawn, slimmer.parts) : drawn];
  }
  if (named !== undefined) attributes.set('class', named);
  const children = /\brole-axis-(?:grid|tick|domain)\b/.test(vega) ? joinedLines(all) : all;
  if (children.length === 0) return [];
  const [only] = children;
  if (attributes.size === 0 && name === 'g') return children;
  if (children.length === 1 && only?.name === 'g' && areApart(attributes, only.attributes)) {
    return [{ ...only, attributes: new Map([...attributes, ...only.attributes]) }];
  }
  return [withNamedValues({ name, attributes, children, text })];
}

/** What the page needs of the attributes of an element. */
function attributesOf(
  { name, attributes, children }: SvgNode,
  kind: string,
  { clips }: Slimmer,
): Map<string, string> {
  const role = attributes.get('role');
  const kept = new Map<string, string>();
  for (const [key, value] of attributes) {
    if (dropped.has(key) || usual.get(key) === value) continue;
    if (key === 'aria-label') {
      if (name === 'g' && role === 'graphics-object') kept.set('data-p', value);
      if (name !== 'g' && name !== 'text' && role === 'graphics-symbol') kept.set('data-v', value);
    } else if (key === 'clip-path') {
      kept.set(
        key,
        value.replace(/#([^)]*)/, (_all, id: string) => `#${clips.get(id) ?? id}`),
      );
    } else {
      kept.set(key, rounded(key, value, kind === 'points' && key === 'd' ? 2 : 1));
    }
  }
  if (name !== 'g' && !kept.has('stroke')) {
    kept.delete('stroke-width');
    const opacity = kept.get('opacity');
    if (name === 'path' && opacity !== undefined) {
      // The same look, and unlike opacity it can be said once for many.
      kept.delete('opacity');
      kept.set('fill-opacity', opacity);
    }
  }
  if (name === 'line') placeLine(kept);
  if (name === 'text' && children.length === 0) placeAt(kept);
  return kept;
}

const geometry = new Set(['transform', 'd', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'width', 'height']);

/** Without fractions of pixels beyond sight. */
function rounded(key: string, value: string, digits: number): string {
  if (!geometry.has(key)) return value;
  return value.replaceAll(/-?\d+\.\d+(?:e-?\d+)?/g, (number) =>
    String(Number(Number(number).toFixed(digits)) + 0),
  );
}

/** Where an element is moved to, if it is moved and no more. */
function placeOf(attributes: ReadonlyMap<string, string>): [x: number, y: number] | undefined {
  const moved = attributes.get('transform');
  if (moved === undefined) return [0, 0];
  const [, x, y] = /^translate\((-?[\d.]+),(-?[\d.]+)\)$/.exec(moved) ?? [];
  return x === undefined || y === undefined ? undefined : [Number(x), Number(y)];
}

/** Sets a number unless it is what it would be without. */
function setNumber(attributes: Map<string, string>, key: string, value: number): void {
  if (value === 0) attributes.delete(key);
  else attributes.set(key, rounded(key, String(value), 1));
}

/** Moves an element by its own x and y, where it is moved and no more. */
function placeAt(attributes: Map<string, string>): void {
  const place = placeOf(attributes);
  if (!place) return;
  attributes.delete('transform');
  setNumber(attributes, 'x', place[0] + Number(attributes.get('x') ?? 0));
  setNumber(attributes, 'y', place[1] + Number(attributes.get('y') ?? 0));
}

/** Puts a line by its ends alone. */
function placeLine(attributes: Map<string, string>): void {
  const place = placeOf(attributes);
  if (!place) return;
  attributes.delete('transform');
  for (const [at, axis] of ['x', 'y'].entries()) {
    for (const end of [1, 2]) {
      const key = `${axis}${end}`;
      setNumber(attributes, key, (place[at] ?? 0) + Number(attributes.get(key) ?? 0));
    }
  }
}

/** The shape of a point by its id in the page; as it is where it is turned or scaled. */
function usedShape(node: SvgNode, parts: PageParts): SvgNode {
  const place = placeOf(node.attributes);
  const d = node.attributes.get('d');
  if (!place || d === undefined) return node;
  const id = parts.shared((own) => `<path id="${own}" d="${d}"/>`);
  const rest = [...node.attributes].filter(([key]) => key !== 'd');
  const attributes = new Map([['href', `#${id}`], ...rest] as [string, string][]);
  placeAt(attributes);
  return { ...node, name: 'use', attributes };
}

/** Lines that look alike as one path. */
function joinedLines(nodes: readonly SvgNode[]): SvgNode[] {
  const paths = new Map<string, SvgNode>();
  const others: SvgNode[] = [];
  for (const node of nodes) {
    if (node.name !== 'line') {
      others.push(node);
      continue;
    }
    const look = [...node.attributes].filter(([key]) => !geometry.has(key));
    const [x1, y1, x2, y2] = ['x1', 'y1', 'x2', 'y2'].map((key) => node.attributes.get(key) ?? '0');
    const line = `M${x1},${y1}${y1 === y2 ? `H${x2}` : x1 === x2 ? `V${y2}` : `L${x2},${y2}`}`;
    const before = paths.get(JSON.stringify(look))?.attributes.get('d') ?? '';
    const attributes = new Map([...look, ['d', before + line] as [string, string]]);
    paths.set(JSON.stringify(look), { name: 'path', attributes, children: [], text: '' });
  }
  return [...others, ...paths.values()];
}

/** Whether a group and the only group in it can be one. A clip would move with the other's transform. */
function areApart(outer: ReadonlyMap<string, string>, inner: ReadonlyMap<string, string>): boolean {
  const hasClip = outer.has('clip-path') || inner.has('clip-path');
  return !hasClip && [...outer.keys()].every((key) => !inner.has(key));
}

/** What the fields of marks are called, once for a group; a mark without a field has nothing in its place. */
function withNamedValues(group: SvgNode): SvgNode {
  const marks = group.children.map(({ attributes }) => fieldsOf(attributes.get('data-v')));
  const keys = [...new Set(marks.flatMap((fields) => [...fields.keys()]))];
  if (keys.length === 0) return group;
  group.attributes.set('data-k', keys.join('\t'));
  return {
    ...group,
    children: group.children.map((child, at) => {
      const fields = marks[at];
      if (!fields || fields.size === 0) return child;
      const values = keys.map((key) => fields.get(key) ?? '').join('\t');
      return { ...child, attributes: new Map([...child.attributes, ['data-v', values]]) };
    }),
  };
}

/** `model: DeiT-S; test κ: 0.712` in its fields; what is no field has no name. */
function fieldsOf(label: string | undefined): Map<string, string> {
  if (label === undefined) return new Map();
  return new Map(
    // Not where the semicolon is the end of an entity.
    label.split(/(?<!&#?\w{1,8}); /).map((part): [string, string] => {
      const at = part.indexOf(': ');
      return at < 0 ? ['', part] : [part.slice(0, at), shortNumber(part.slice(at + 2))];
    }),
  );
}

/** Numbers with more digits than anybody reads, with five. */
function shortNumber(text: string): string {
  return /^-?\d+\.\d{5,}$/.test(text) && Math.abs(Number(text)) >= 1e-3
    ? String(Number(Number(text).toPrecision(5)))
    : text;
}

/** Fewest elements one after the other that a group is made for. */
const FEWEST = 3;

/** Says once, for a group, what all its elements have alike; and for runs of elements what these have. */
export function hoist(node: SvgNode): SvgNode {
  const children = node.children.map(hoist);
  const isOfLeaves =
    node.name === 'g' &&
    children.length >= FEWEST &&
    children.every((child) => child.name !== 'g' && child.name !== 'defs');
  if (!isOfLeaves) return { ...node, children };
  const shared = alike(children).filter(([key]) => !node.attributes.has(key));
  const attributes = new Map([...node.attributes, ...shared]);
  const own = children.map((child) => without(child, shared));
  return { ...node, attributes, children: inRuns(own) };
}

/** The inherited attributes that some elements have alike. */
function alike(nodes: readonly SvgNode[]): [string, string][] {
  return inherited.flatMap((key): [string, string][] => {
    const value = nodes[0]?.attributes.get(key);
    return value !== undefined && nodes.every(({ attributes }) => attributes.get(key) === value)
      ? [[key, value]]
      : [];
  });
}

function without(node: SvgNode, shared: readonly (readonly [string, string])[]): SvgNode {
  const keys = new Set(shared.map(([key]) => key));
  return { ...node, attributes: new Map([...node.attributes].filter(([key]) => !keys.has(key))) };
}

/** The elements with groups around those that follow each other and look alike. */
function inRuns(nodes: readonly SvgNode[]): SvgNode[] {
  const lookOf = ({ attributes }: SvgNode): string =>
    JSON.stringify(inherited.map((key) => attributes.get(key)));
  const runs: SvgNode[][] = [];
  for (const node of nodes) {
    const run = runs.at(-1);
    if (run?.[0] && lookOf(run[0]) === lookOf(node)) run.push(node);
    else runs.push([node]);
  }
  return runs.flatMap((run) => {
    const shared = alike(run);
    if (run.length < FEWEST || shared.length === 0) return run;
    const children = run.map((node) => without(node, shared));
    return [{ name: 'g', attributes: new Map(shared), children, text: '' }];
  });
}
