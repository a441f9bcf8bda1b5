/** What the figures of a page share: colours in pairs of light and dark, shapes of points, clips. */

export class PageParts {
  readonly #colours = new Map<string, string>();
  readonly #levels = new Map<number, string>();
  readonly #shared = new Map<string, string>();
  readonly #elements: string[] = [];

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
