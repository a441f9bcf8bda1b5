/** What the figures of a page share: colours in pairs of light and dark, shapes of points, clips, a font. */
import { fontOfCharacters } from '../figures/index.ts';

/** What the page calls the font that it carries. */
export const FIGURE_FONT = 'figures';

export class PageParts {
  readonly #colours = new Map<string, string>();
  readonly #levels = new Map<number, string>();
  readonly #shared = new Map<string, string>();
  readonly #elements: string[] = [];
  readonly #letters = new Set<string>();

  /** `var(--name)` of a pair of colours: the same pair has one name, wherever it stands. */
  colour(light: string, dark: string): string {
    const key = [light, dark].map((text) => text.replaceAll(' ', '')).join(' ');
    let name = this.#colours.get(key);
    if (name === undefined) {
      name = `--f${this.#colours.size.toString(36)}`;
      this.#colours.set(key, name);
    }
    return `var(${name})`;
  }

  /** The colour of a level of a matrix: that of the first value there was on it. */
  level(level: number, light: string, dark: string): string {
    const found = this.#levels.get(level) ?? this.colour(light, dark);
    this.#levels.set(level, found);
    return found;
  }

  /**
   * The id of an element that several figures use.
   * @param format the element with its id
   */
  shared(format: (id: string) => string): string {
    const key = format('');
    const found = this.#shared.get(key);
    if (found !== undefined) return found;
    const id = `s${this.#shared.size.toString(36)}`;
    this.#shared.set(key, id);
    this.#elements.push(format(id));
    return id;
  }

  /** Notes that figures have a text, as SVG has it, so that the page carries its letters. */
  letters(text: string): void {
    const shown = text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    for (const letter of shown) this.#letters.add(letter);
  }

  /** CSS of the font of the figures' texts: a reader's own may be wider than the room that there is. */
  fontFaces(): string {
    const { regular, semiBold } = fontOfCharacters([...this.#letters].sort());
    return [
      { weight: 400, file: regular },
      { weight: 600, file: semiBold },
    ]
      .map(
        ({ weight, file }) =>
          `@font-face{font-family:"${FIGURE_FONT}";font-weight:${weight};src:url(data:font/ttf;base64,${file.toString('base64')})}`,
      )
      .join('\n');
  }

  /** CSS declarations of all colours for one kind of paper. */
  declarations(paper: 'light' | 'dark'): string {
    return [...this.#colours]
      .map(([pair, name]) => `${name}:${pair.split(' ')[paper === 'light' ? 0 : 1]}`)
      .join(';');
  }

  /** The elements that figures use by their ids: to stand once in the page. */
  definitions(): string {
    if (this.#elements.length === 0) return '';
    return `<svg class="sr" width="0" height="0" aria-hidden="true"><defs>${this.#elements.join('')}</defs></svg>`;
  }
}
