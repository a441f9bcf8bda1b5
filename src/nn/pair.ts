/** A size over height and width: one number for both, or [height, width]. */
export type Pair = number | readonly [height: number, width: number];

/** The pair as [height, width]. */
export function asPair(value: Pair): [number, number] {
  return typeof value === 'number' ? [value, value] : [value[0], value[1]];
}
