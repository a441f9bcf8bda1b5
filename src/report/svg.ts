/**
 * Figures inside a page: one SVG for light and dark paper. The two drawings of a figure differ in colours
 * alone, so each colour becomes a custom property that has the one or the other value.
 */

/** Colours of a page's figures: a pair of light and dark values has one name, wherever it stands. */
export class FigureColours {
  readonly #names = new Map<string, string>();

  /** The custom property of a pair. */
  nameOf(light: string, dark: string): string {
    const key = `${light} ${dark}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = `--f${this.#names.size.toString(36)}`;
      this.#names.set(key, name);
    }
    return name;
  }

  /** CSS declarations of all properties for one kind of paper. */
  declarations(paper: 'light' | 'dark'): string {
    return [...this.#names]
      .map(([pair, name]) => `${name}:${pair.split(' ')[paper === 'light' ? 0 : 1]}`)
      .join(';');
  }
}

const colourAttribute = /(fill|stroke|stop-color)="(#[0-9a-fA-F]{3,8}|rgba?\([^)"]*\))"/g;

/**
 * The SVG of a figure for both papers, without what a page says once: title, font, fractions of pixels beyond
 * sight, and style attributes, which a strict content security policy forbids.
 */
export function pageSvg(light: string, dark: string, colours: FigureColours): string {
  const darkColours = [...dark.matchAll(colourAttribute)].map(([, , colour]) => colour ?? '');
  const blank = (svg: string): string => svg.replaceAll(colourAttribute, '$1');
  // Drawings that differ in more than colour: the light one, on its own paper, serves for both.
  const same = blank(light) === blank(dark);
  let at = 0;
  const coloured = light.replaceAll(colourAttribute, (_all, name: string, colour: string) => {
    const partner = same ? (darkColours[at] ?? colour) : colour;
    at++;
    const [first, second] = [colour, partner].map((text) => text.replaceAll(' ', ''));
    return `${name}="var(${colours.nameOf(first ?? '', second ?? '')})"`;
  });
  return (
    coloured
      // Title and caption stand beside it in the page.
      .replace(/<title id=[^>]*>[^<]*<\/title><desc id=[^>]*>[^<]*<\/desc>/, '')
      .replace(/ role="graphics-document" aria-labelledby="[^"]*" aria-describedby="[^"]*"/, '')
      .replaceAll(/ (?:font-family|style|aria-roledescription|xmlns:xlink|version)="[^"]*"/g, '')
      .replaceAll(/ (transform|d|x|y|x1|x2|y1|y2|width|height)="([^"]*)"/g, (_all, name, value) => {
        const short = String(value).replaceAll(/-?\d+\.\d{3,}/g, (number) =>
          String(Math.round(Number(number) * 100) / 100),
        );
        return ` ${name}="${short}"`;
      })
      .replaceAll('<path class="background" aria-hidden="true" d="M0,0h0v0h0Z"/>', '')
      .replaceAll(/<path class="foreground"[^>]*display="none"[^>]*\/>/g, '')
  );
}

/** How many marks a drawing has that say what they are. */
export function countMarks(svg: string): number {
  return [...svg.matchAll(/role="graphics-symbol"/g)].length;
}
