/** Numbers for people. */
import type { MetricValue } from '../eval/index.ts';

/** `0.8312`, or `undefined: why`. */
export function describeMetric({ value, reason }: MetricValue): string {
  return value === undefined ? `undefined: ${reason ?? 'no reason given'}` : value.toFixed(4);
}

/** A number with some digits, `undefined` where there is none. */
export function describeNumber(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined ? 'undefined' : value.toFixed(digits);
}
