/** Text that is put into Markdown. */

/** `text` on one line, so that Markdown (GitHub's, its tables too) shows it as it is. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>|#~]/g, '\\$&');
}
