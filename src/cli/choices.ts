/** Words given as options. */
import { nearestNames, RequestError } from '../util/index.ts';

/** A parser for an option that takes one of some words. */
export function oneOf<T extends string>(
  option: string,
  choices: readonly T[],
): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    const near = nearestNames(text, choices);
    throw new RequestError({
      where: option,
      expected: `one of ${choices.join(', ')}`,
      got: `"${text}"`,
      hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : undefined,
    });
  };
}

/** A parser for an option that takes `auto` or a whole number of at least `least`. */
export function automaticOr(option: string, least: number): (text: string) => number | 'auto' {
  return (text) => {
    const value = Number(text);
    if (text === 'auto') return 'auto';
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new RequestError({
      where: option,
      expected: `auto, or a whole number of at least ${least}`,
      got: `"${text}"`,
    });
  };
}

/** A parser for an option that takes some of a few words, with commas between them. */
export function listOf<T extends string>(
  option: string,
  choices: readonly T[],
): (text: string) => T[] {
  const parse = oneOf(option, choices);
  return (text) => [...new Set(text.split(',').map((word) => parse(word.trim())))];
}
