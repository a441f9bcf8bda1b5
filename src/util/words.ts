/** Numbers and lists as sentences and tables have them. */

/** `0.412`, with a true minus sign; what is rounded to 0 has none. */
export function decimal(value: number, digits = 3): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace('-', '−');
}

/** `12,345`. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `a, b and c`. */
export function listed(items: readonly string[], last = 'and'): string {
  const head = items.slice(0, -1).join(', ');
  const end = items.at(-1) ?? '';
  return head === '' ? end : `${head} ${last} ${end}`;
}

/** `a, b and 3 more`: the first of many, at most so many. */
export function listedFirst(items: readonly string[], most: number): string {
  const more = items.length - most;
  return listed([...items.slice(0, most), ...(more > 0 ? [`${more} more`] : [])]);
}

/** `1 seed`, `3 seeds`, `2 analyses`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${whole(count)} ${count === 1 ? noun : plural}`;
}
