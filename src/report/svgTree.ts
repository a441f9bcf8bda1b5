/** SVG as Vega writes it, read into a tree and written again: quoted attributes, text without markup in it. */

export interface SvgNode {
  name: string;
  attributes: Map<string, string>;
  children: SvgNode[];
  /** Between the tags, as it is written: entities stay. */
  text: string;
}

const token = /<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>|([^<]+)/g;
const attribute = /([\w:-]+)="([^"]*)"/g;

/**
 * The root element of a text.
 * @throws Error for what no drawing of Vega's has: a defect
 */
export function parseSvg(svg: string): SvgNode {
  const top: SvgNode = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [top];
  let end = 0;
  for (const match of svg.matchAll(token)) {
    const [all, closing, name = '', attributes = '', empty, text] = match;
    const parent = open.at(-1);
    if (match.index !== end || !parent) throw new Error(`SVG that cannot be read at ${end}`);
    end += all.length;
    if (text !== undefined) parent.text += text;
    else if (closing === '/') open.pop();
    else {
      const found = [...attributes.matchAll(attribute)];
      const node: SvgNode = {
        name,
        attributes: new Map(found.map(([, key = '', value = '']) => [key, value])),
        children: [],
        text: '',
      };
      parent.children.push(node);
      if (empty !== '/') open.push(node);
    }
  }
  const [root] = top.children;
  if (end !== svg.length || open.length !== 1 || !root) throw new Error('SVG that does not end');
  return root;
}

/** The text of an element inside HTML, which needs no quotes around most values. */
export function formatSvg({ name, attributes, children, text }: SvgNode): string {
  const own = [...attributes].map(([key, value]) => ` ${key}=${quoted(value)}`).join('');
  const inside = text + children.map(formatSvg).join('');
  if (inside !== '') return `<${name}${own}>${inside}</${name}>`;
  // A slash after a value without quotes would be a part of it.
  return own === '' || own.endsWith('"') ? `<${name}${own}/>` : `<${name}${own} />`;
}

const quoted = (value: string): string => (/^[^\s"'=<>`]+$/.test(value) ? value : `"${value}"`);
