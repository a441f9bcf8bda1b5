/** Rows of finished runs for tests of aggregation and tables. */
import type { ResultRow } from '../../src/results/index.ts';

export function row(more: Partial<ResultRow> = {}): ResultRow {
  const { data = 'skin', model = 'resnet18', init = 'wt', seed = 0 } = more;
  return {
    runId: `${data}-${model}-${init}-${seed}`,
    data,
    samples: 2000,
    model,
    parameters: 11_180_103,
    init,
    seed,
    metric: 'recall',
    testMetric: 0.5,
    validationMetric: 0.5,
    iterationsToBest: 100,
    iterations: 200,
    precision: 'fp32',
    ...more,
  };
}
