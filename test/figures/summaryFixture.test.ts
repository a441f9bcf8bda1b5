/** The synthetic studies: their shape, that they repeat, and that their tables come from their runs. */
import { describe, expect, it } from 'vitest';
import { studyCurves } from '../../src/study/comparisons.ts';
import { paperSummary, smallSummary } from './summaryFixture.ts';

describe('the synthetic study of the paper’s shape', () => {
  const summary = paperSummary();

  it('has every setting, less one run that failed', () => {
    // n modules: RI and 0 to n kept. ResNets 6, Inception and DeiT-S-5 7, DeiTs and Swin 14.
    const inits = 3 * 8 + 2 * 9 + 4 * 16;
    expect(summary.axes.data).toHaveLength(5);
    expect(summary.rows).toHaveLength(5 * inits * 5 - 1);
    expect(summary.unfinished).toHaveLength(1);
    expect(summary.rows.filter(({ testMetric }) => testMetric === undefined)).toHaveLength(1);
  });

  it('has its tables from its runs, near the paper’s', () => {
    const own = summary.rows.filter(({ model }) => model === 'resnet18');
    expect(summary.curves.filter(({ model }) => model === 'resnet18')).toEqual(studyCurves(own));
    expect(summary.table.cells).toHaveLength(5 * (3 * 8 + 2 * 9 + 4 * 16));
    const cell = summary.table.cells.find(
      ({ data, model, init }) => data === 'aptos2019' && model === 'deit_small' && init === 'wt',
    );
    expect(cell?.metric?.mean).toBeCloseTo(0.894, 1);
  });

  it('has findings of every measure, taps in the network’s order, some undefined', () => {
    const measures = new Set(summary.findings.map(({ measure }) => measure));
    for (const measure of ['knn', 'probe', 'cka initial/best', 'cka best', 'l2', 'reinit']) {
      expect(measures).toContain(measure);
    }
    const taps = new Set(
      summary.findings.flatMap(({ measure, model, of }) =>
        measure === 'l2' && model === 'resnet50' ? [of] : [],
      ),
    );
    expect([...taps].slice(0, 3)).toEqual(['conv1', 'layer1.0', 'layer1.1']);
    expect(taps.size).toBe(17);
    expect(summary.findings.some(({ value }) => value === undefined)).toBe(true);
  });

  it('has curves of both schedules', () => {
    expect(new Set(summary.learningCurves.map(({ schedule }) => schedule))).toEqual(
      new Set(['plateau', 'constant']),
    );
  });
});

describe('the small synthetic study', () => {
  it('is the same every time', () => {
    expect(smallSummary()).toEqual(smallSummary());
    expect(smallSummary().rows).toHaveLength(12);
    expect(smallSummary().curves).toEqual([]);
  });
});
