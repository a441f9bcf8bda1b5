/** Many faults of one input, told together: all of them counted, the first twenty in full. */

const limit = 20;

/**
 * `problems` as lines under a heading, for the `got` of an error:
 * `3 bad rows:`, one indented line each up to twenty, and how many more there are.
 * @param noun what each is, in the singular ("bad row") or with its plural ("bad entry", "bad entries").
 */
export function problemList(
  problems: readonly string[],
  noun: string,
  plural = `${noun}s`,
): string {
  const heading = `${problems.length} ${problems.length === 1 ? noun : plural}:`;
  const more = problems.length - limit;
  const shown = [...problems.slice(0, limit), ...(more > 0 ? [`and ${more} more`] : [])];
  // With semicolons it can be read on one line, too, which a console may make of it.
  return `${heading}\n  ${shown.join(';\n  ')}\n `;
}

/** `names` joined by commas, cut after a few. */
export function shortList(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
