/** Suggestions for misspelt names: options, keys, models, data sets. */

/** Levenshtein distance between two strings: insertions, deletions and substitutions cost 1. */
export function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution =
        (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(
        Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substitution),
      );
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** Up to `limit` of the valid names that a user may have meant by `name`, nearest first. */
export function nearestNames(name: string, valid: Iterable<string>, limit = 3): string[] {
  const wanted = name.toLowerCase();
  return [...valid]
    .map((candidate) => {
      const lower = candidate.toLowerCase();
      const contained = lower.includes(wanted) || wanted.includes(lower);
      return { candidate, distance: contained ? 1 : editDistance(wanted, lower) };
    })
    .filter(({ distance, candidate }) => distance <= Math.max(2, candidate.length / 3))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}
