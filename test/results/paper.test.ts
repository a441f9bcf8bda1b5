import { describe, expect, it } from 'vitest';
import { paperCells, paperDataSets, paperModels } from '../../src/results/index.ts';

describe('the paper’s table 1', () => {
  it('has every cell once', () => {
    expect(paperCells).toHaveLength(paperDataSets.length * paperModels.length * 3);
    const keys = new Set(paperCells.map(({ data, model, init }) => `${data} ${model} ${init}`));
    expect(keys.size).toBe(60);
  });

  it('says what the paper’s text says of it', () => {
    const mean = (model: string, data: string, init: string) =>
      paperCells.find((c) => c.model === model && c.data === data && c.init === init)?.mean ?? 0;
    // WT is best in every setting.
    for (const { id: model } of paperModels) {
      for (const { id: data } of paperDataSets) {
        const wt = mean(model, data, 'wt');
        expect(wt, `${model} ${data}`).toBeGreaterThan(mean(model, data, 'ri'));
        expect(wt, `${model} ${data}`).toBeGreaterThan(mean(model, data, 'st'));
      }
    }
    // "DeiT sees a strong boost … on CheXpert and PatchCamelyon"; ResNet50 an insignificant one.
    for (const data of ['chexpert', 'camelyon']) {
      const gain = (model: string) => mean(model, data, 'wt') / mean(model, data, 'ri');
      expect(gain('deit_small')).toBeGreaterThan(1.04);
      expect(gain('resnet50')).toBeLessThan(1.02);
    }
    expect(mean('swin_tiny', 'isic2019', 'ri')).toBe(0.597);
  });
});
