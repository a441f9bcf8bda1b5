/**
 * Specifications to pictures: Vega-Lite and Vega make the SVG, resvg makes the PNG, both with the bundled
 * font and nothing of the machine's, so that a figure is the same bytes wherever it is drawn. The libraries
 * are loaded when the first figure is.
 */
import type { TopLevelSpec } from 'vega-lite';
import type { FigureSpec } from './figure.ts';
import { fontFiles, textWidth } from './font.ts';
import { withRoomForText } from './sceneBounds.ts';
import { PADDING, type Theme, themed } from './theme.ts';

// Exported by Vega for other measures of text than its own, but missing from its types.
declare module 'vega' {
  export const textMetrics: {
    width(
      item: { fontSize?: number; fontWeight?: string | number; limit?: number },
      text: unknown,
    ): number;
  };
  interface View {
    scenegraph(): { root: unknown };
  }
}

export interface SvgOptions {
  /** Default `light`. */
  theme?: Theme;
  /** Put before the ids inside the SVG, so that several of them can stand in one page. */
  idPrefix?: string;
  /** What Vega and Vega-Lite found odd; a figure of ours should give none. */
  onWarning?: (text: string) => void;
}

export interface PngOptions {
  /** Pixels of the picture to one of the SVG; default 2. */
  scale?: number;
}

/** Of the drawing in progress: Vega numbers the ids of an SVG by a counter that all drawings share. */
let last: Promise<unknown> = Promise.resolve();

/**
 * The SVG of a specification. The same specification gives the same bytes every time.
 * @throws Error when the specification cannot be drawn, or asks for data from outside
 */
export function renderSvg(spec: FigureSpec, options: SvgOptions = {}): Promise<string> {
  const drawn = last.then(() => draw(spec, options));
  last = drawn.catch(() => {});
  return drawn;
}

async function draw(
  spec: FigureSpec,
  { theme = 'light', idPrefix = '', onWarning = () => {} }: SvgOptions,
): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  vega.textMetrics.width = (item, text) =>
    textWidth(String(text ?? '').trim(), item.fontSize ?? 11, item.fontWeight);
  vega.resetSVGDefIds();
  const logger = vega.logger(vega.Warn, undefined, (_method, level, parts) => {
    const text = parts.map(String).join(' ');
    if (level === 'ERROR') throw new Error(text);
    onWarning(text);
  });
  // A copy as JSON: what a file of it would hold. Vega-Lite checks what it reads of it.
  const source = JSON.parse(JSON.stringify(themed(spec, theme))) as TopLevelSpec;
  const { spec: compiled } = vegaLite.compile(source, { logger });
  // Figures hold their data and link to nothing. Vega itself would only warn.
  const asked: string[] = [];
  const refuse = (uri: string): Promise<never> => {
    asked.push(uri);
    return Promise.reject(new Error(`a figure asks for ${uri}`));
  };
  const view = new vega.View(vega.parse(compiled), {
    renderer: 'none',
    logger,
    loader: { ...vega.loader(), load: refuse, sanitize: refuse },
  });
  try {
    const drawn = await view.toSVG();
    if (asked[0] !== undefined) throw new Error(`a figure asks for ${asked[0]}`);
    const svg = withRoomForText(drawn, view.scenegraph().root, PADDING);
    return idPrefix === '' ? svg : withIds(svg, idPrefix);
  } finally {
    view.finalize();
  }
}

const withIds = (svg: string, prefix: string): string =>
  svg
    .replaceAll(/ id="((?:clip|gradient|pattern)[^"]*)"/g, ` id="${prefix}-$1"`)
    .replaceAll(/url\(#((?:clip|gradient|pattern)[^)]*)\)/g, `url(#${prefix}-$1)`);

/** The PNG of an SVG, drawn with the bundled font alone. */
export async function renderPng(svg: string, { scale = 2 }: PngOptions = {}): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js');
  const drawing = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: [fontFiles.regular, fontFiles.semiBold],
      defaultFontFamily: 'Inter',
    },
  });
  return drawing.render().asPng();
}
