/** HTML as text in which nothing stands unescaped by accident. */
import { escapeHtml } from '../util/index.ts';

/** A piece of HTML that is complete; any other text is escaped when it is put into one. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Content = Html | string | number | undefined | readonly Content[];

/** A template whose values are escaped, unless they are pieces of HTML; lists are joined, `undefined` is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  const text = parts.map((part, at) => part + (at < values.length ? textOf(values[at]) : ''));
  return new Html(text.join(''));
}

/** Numbers with their per cent, and short differences, on one line. */
function unbroken(text: string): string {
  return text
    .replaceAll(/(\d) %/g, '$1\u00a0%')
    .replaceAll(/\bWT − (RI|ST)\b/g, 'WT\u00a0−\u00a0$1');
}

function textOf(value: Content): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string' || typeof value === 'number')
    return unbroken(escapeHtml(String(value)));
  return value.map(textOf).join('');
}
