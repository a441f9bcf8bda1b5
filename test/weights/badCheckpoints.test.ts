/** Checkpoints of other networks than asked for: what the error says. */
import { describe, expect, it } from 'vitest';
import { describeMatch, loadWeights, type WeightFile } from '../../src/weights/index.ts';
import { fill } from '../models/formula.ts';
import { build, statesOf, store, weightsOf } from './networks.ts';

/** The error of a load, which leaves the network as it was. */
function errorOf(id: string, file: WeightFile, imageSize?: number): string {
  const model = build(id, { imageSize });
  const before = statesOf(model);
  let message = '';
  try {
    loadWeights(model, file, { allowHeadMismatch: true });
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 1, where: 'model.pth' });
    message = error instanceof Error ? error.message : '';
  }
  expect(statesOf(model)).toEqual(before);
  return message;
}

/** The file with a tensor of another shape in place of one of its own. */
function withShape(file: WeightFile, name: string, shape: number[]): WeightFile {
  const count = shape.reduce((product, size) => product * size, 1);
  const tensors = new Map(file.tensors);
  tensors.set(name, store(new Float32Array(count), shape, 'float32'));
  return { ...file, tensors };
}

describe('a checkpoint', () => {
  const files = new Map<string, WeightFile>();
  const fileOf = (id: string): WeightFile => {
    const file = files.get(id) ?? weightsOf(fill(build(id)));
    files.set(id, file);
    return file;
  };

  it('of fewer blocks is told apart', () => {
    const message = errorOf('deit_micro', fileOf('deit_micro:3'));
    expect(message).toContain('36 missing (blocks.3.norm1.weight');
    expect(message).toContain(
      'it is of deit_micro:3, a vision transformer of 3 blocks, 96 wide, patches of 8 px',
    );
  });

  it('of another width is told apart', () => {
    const message = errorOf('deit_micro', fileOf('deit_tiny'));
    expect(message).toMatch(/\d+ of another shape \(cls_token \[1, 1, 192\] for \[1, 1, 96\]/);
    expect(message).toContain('it is of deit_tiny');
  });

  it('of another patch size is told apart', () => {
    const name = 'patch_embed.proj.weight';
    const message = errorOf('deit_micro', withShape(fileOf('deit_micro'), name, [96, 3, 16, 16]));
    expect(message).toContain(`1 of another shape (${name} [96, 3, 16, 16] for [96, 3, 8, 8])`);
    expect(message).toContain('patches of 16 px');
  });

  it('of position embeddings that are no square is told apart', () => {
    const file = withShape(fileOf('deit_micro'), 'pos_embed', [1, 66, 96]);
    expect(errorOf('deit_micro', file)).toContain('pos_embed [1, 66, 96] for [1, 65, 96]');
  });

  it('of windows that are no square is told apart', () => {
    const table = 'layers.1.blocks.0.attn.relative_position_bias_table';
    const file = withShape(fileOf('swin_micro'), table, [50, 2]);
    expect(errorOf('swin_micro', file)).toContain(`${table} [50, 2] for [`);
  });

  it('of another window is resized, and the report says so', () => {
    const model = build('swin_micro', { imageSize: 96 });
    const { adapted } = loadWeights(model, fileOf('swin_micro'));
    expect(adapted.length).toBeGreaterThan(0);
    expect(adapted.every(({ name }) => name.endsWith('relative_position_bias_table'))).toBe(true);
  });

  it.each([
    ['resnet18_micro', 'deit_micro', 'a vision transformer of 6 blocks'],
    ['deit_micro', 'resnet18_micro', 'a residual network of 2-2-2-2 basic blocks'],
    ['swin_micro', 'deit_micro', 'a vision transformer of 6 blocks'],
    ['deit_micro', 'swin_micro', 'a Swin transformer of 1-1-2-1 blocks'],
  ])('of another model: %s for %s', (id, other, description) => {
    const message = errorOf(id, fileOf(other));
    expect(message).toContain('missing');
    expect(message).toContain(`it is of ${other}, ${description}`);
  });

  it('of nothing that is known is said to be', () => {
    const tensors = new Map([['weight', store([1], [1], 'float32')]]);
    const message = errorOf('deit_micro', { ...fileOf('deit_micro'), tensors });
    expect(message).toContain('no tensor of it has a name of a network known here');
  });

  it('of another head is taken but for the head, which is said', () => {
    const source = fill(build('swin_micro', { classes: 9 }));
    const target = build('swin_micro');
    const report = loadWeights(target, weightsOf(source), { allowHeadMismatch: true });
    expect(report).toMatchObject({ headReplaced: true, missing: [], unexpected: [] });
    expect(report.wrongShape.map(({ got }) => got[0])).toEqual([9, 9]);
    expect(describeMatch(target, report)).toMatch(
      /^\d+ tensors matched; head replaced \(9 classes in the file, 5 here\)$/,
    );
  });

  it.each(['norm.weight', 'layers.0.blocks.0.attn.relative_position_bias_table'])(
    'with a NaN in %s is refused by that name',
    (name) => {
      const file = fileOf('swin_micro');
      const shape = [...(file.tensors.get(name)?.shape ?? [])];
      const count = shape.reduce((product, size) => product * size, 1);
      const tensors = new Map(file.tensors);
      const values = new Float32Array(count);
      values[count - 1] = Number.NaN;
      tensors.set(name, store(values, shape, 'float32'));
      expect(errorOf('swin_micro', { ...file, tensors })).toContain(`NaN or infinity in ${name}`);
    },
  );
});
