/** Numbers and names as the report's sentences have them. */
import { counted, decimal, type Interval } from '../util/index.ts';

/** `+0.041`. */
export function signed(value: number, digits = 3): string {
  const text = decimal(value, digits);
  return text.startsWith('−') || Number(text) === 0 ? text : `+${text}`;
}

/** `77 %`. */
export const percent = (share: number): string => `${decimal(100 * share, 0)} %`;

/** ` (95 % interval 0.1 to 0.2)`; nothing without an interval. */
export function between(
  interval: Partial<Interval> | undefined,
  show: (value: number) => string = decimal,
): string {
  if (interval?.low === undefined || interval.high === undefined) return '';
  return ` (95 % interval ${show(interval.low)} to ${show(interval.high)})`;
}

/** `2.4 hours`, `38 minutes`, `12 seconds`. */
export function lasting(seconds: number): string {
  if (seconds >= 2 * 3600) return `${decimal(seconds / 3600, 1)} hours`;
  if (seconds >= 120) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 0.5 ? 'under a second' : counted(Math.round(seconds), 'second');
}

/** `1.4 GB`, in powers of 1,000. */
export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : decimal(value, 1)} ${units[unit]}`;
}

/** A p value: `0.031`, `< 0.001`. */
export function probability(p: number): string {
  return p < 0.001 ? '< 0.001' : decimal(p);
}

/** `isic2019`'s metric as text has it. */
export function metricName(metric: string | undefined): string {
  const names: Record<string, string> = {
    kappa: 'quadratic Cohen’s κ',
    recall: 'macro recall',
    auc: 'ROC-AUC',
  };
  return metric === undefined ? 'metric' : (names[metric] ?? metric);
}

/** The text with its first letter in upper case. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
