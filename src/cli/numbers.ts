/** Numbers given as options. */
import { RequestError } from '../util/index.ts';

/** A parser for an option that takes a whole number of at least `least`. */
export function wholeNumber(option: string, least = 1): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new RequestError({
      where: option,
      expected: `a whole number of at least ${least}`,
      got: `"${text}"`,
    });
  };
}

/** A number, or what was typed instead, for the error. */
export function numberOrText(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}
