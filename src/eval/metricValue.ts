/** The result of a metric: a number, or no number and the reason why. */

export interface MetricValue {
  /** Absent where the metric is not defined on these samples. Never NaN. */
  value?: number;
  /** Why there is no value, or what the value leaves out. */
  reason?: string;
  /** For a mean: how many classes or labels it is over. */
  over?: number;
  /** For a mean: how many classes or labels there are in all. */
  of?: number;
}

/** A value that is defined. */
export function defined(value: number): MetricValue {
  return { value };
}

/** No value, and why. */
export function undefinedBecause(reason: string): MetricValue {
  return { reason };
}

/**
 * The mean of the values that are defined. It says over how many of how many, and names those left
 * out with their reasons; with none defined it has no value.
 */
export function meanOverNamed(
  parts: readonly { name: string; metric: MetricValue }[],
  of = parts.length,
): MetricValue {
  const values: number[] = [];
  const missing: string[] = [];
  for (const { name, metric } of parts) {
    if (metric.value === undefined) missing.push(`${name}: ${metric.reason ?? 'undefined'}`);
    else values.push(metric.value);
  }
  const reason = missing.length > 0 ? { reason: missing.join('; ') } : {};
  if (values.length === 0)
    return { over: 0, of, reason: missing.join('; ') || 'nothing to average' };
  const sum = values.reduce((total, value) => total + value, 0);
  return { value: sum / values.length, over: values.length, of, ...reason };
}
