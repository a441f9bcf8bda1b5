/** `carryover models`: the table, and one model with its modules and taps. */
import { describe, expect, it } from 'vitest';
import { modelIds } from '../../src/models/index.ts';
import { runCaught } from './caught.ts';

describe('carryover models', () => {
  it('lists every model with its size, modules, taps and checkpoints', async () => {
    const { code, stdout, stderr } = await runCaught('models');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n').slice(2);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(modelIds());
    const cells = lines.map((line) => line.split(/ {2,}/));
    expect(cells).toContainEqual([
      'resnet152',
      '60,192,808',
      '224 px',
      expect.stringMatching(/^6$/),
      '51',
      'torchvision, timm, RadImageNet',
      'yes',
    ]);
    expect(cells.find(([id]) => id === 'deit_micro')?.at(-1)).toBe('carryover’s own');
  });

  it('gives the list as one document', async () => {
    const { stdout } = await runCaught('models', '--json');
    const document: unknown = JSON.parse(stdout);
    expect(document).toMatchObject({
      models: expect.arrayContaining([
        {
          id: 'deit_small',
          family: 'vit',
          parameters: 22_050_664,
          imageSize: 224,
          modules: 14,
          taps: 25,
          checkpoints: ['facebookresearch/deit', 'timm'],
          officialWeights: [expect.objectContaining({ name: 'deit_small.deit' })],
        },
      ]),
    });
  });

  it('shows one model’s modules and taps by name, truncated ones too', async () => {
    const { code, stdout } = await runCaught('models', 'deit_micro:2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^deit_micro:2: [\d,]+ parameters, images of 64 px\n/);
    expect(stdout).toMatch(/^4 {2}norm +192$/m);
    expect(stdout).toMatch(/^1 {2}patch_embed +tokens +spatial$/m);
    expect(stdout).toMatch(/^5 {2}blocks\.1\.mlp +tokens +both, cls, spatial$/m);
  });

  it('gives one model as one document, whose modules and head hold all parameters', async () => {
    const { stdout } = await runCaught('models', 'resnet18', '--json');
    const document = JSON.parse(stdout) as {
      parameters: number;
      modules: { name: string; parameters: number }[];
      taps: { name: string }[];
    };
    const head = 512 * 1000 + 1000;
    const backbone = document.modules.reduce((sum, { parameters }) => sum + parameters, 0);
    expect(backbone + head).toBe(document.parameters);
    expect(document.modules.map(({ name }) => name).slice(0, 3)).toEqual([
      'conv1',
      'bn1',
      'layer1',
    ]);
    expect(document.taps).toHaveLength(9);
  });

  it('names the nearest models for an unknown one', async () => {
    const { code, stderr } = await runCaught('models', 'resnet81');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: model: expected one of .*did you mean resnet18/);
  });
});
