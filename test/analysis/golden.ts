/** Golden values of scripts/golden/analysis_measures.py. */
import { readFileSync } from 'node:fs';

export function golden<T>(name: string): T {
  const url = new URL(`../golden/analysis/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** Names of classes or labels: `c0`, `c1`, … */
export function classNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${index}`);
}
