/** Names of data sets and models inside other texts. */

/**
 * The ids whose label stands in a text. The longest label wins where one is part of another: a text with
 * `resnet18_micro` does not mention `resnet18`.
 */
export function mentioned(
  text: string,
  names: readonly { id: string; label: string }[],
): Set<string> {
  let rest = text;
  const found = new Set<string>();
  for (const { id, label } of [...names].sort((a, b) => b.label.length - a.label.length)) {
    if (!rest.includes(label)) continue;
    found.add(id);
    rest = rest.replaceAll(label, '|');
  }
  return found;
}
