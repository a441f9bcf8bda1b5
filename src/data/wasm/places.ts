/** Where pieces of these lengths, in bytes, begin one after another in a kernel's memory: at multiples of 16. */
export function placesOf<const Lengths extends readonly number[]>(
  lengths: Lengths,
): { [K in keyof Lengths]: number } {
  let next = 0;
  const places = lengths.map((length) => {
    const start = next;
    next += Math.ceil(length / 16) * 16;
    return start;
  });
  return places as { [K in keyof Lengths]: number };
}
