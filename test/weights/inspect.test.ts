import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel, type ImageModel } from '../../src/models/index.ts';
import { type StoredTensor, writeSafetensors } from '../../src/weights/index.ts';
import { runCaught } from '../cli/caught.ts';
import { fill } from '../models/formula.ts';
import { resnetAsChildren } from './families.ts';
import { goldenPath, temporaryFile, temporaryPath } from './support.ts';

const run = (...argv: string[]) => runCaught('weights', 'inspect', ...argv);

let model: ImageModel;
const path = temporaryPath('network.safetensors');

beforeAll(async () => {
  model = fill(createModel('resnet18_micro', { classes: 7 }));
  await writeSafetensors(path, model.state(), { note: 'red\u001b[31m' });
});
afterAll(() => model.dispose());

describe('carryover weights inspect', () => {
  it('lists names, dtypes and shapes', async () => {
    const { code, stdout, stderr } = await run(goldenPath('torch1-training.pth'));
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^name +dtype +shape\n/);
    expect(stdout).toMatch(/^module\.0\.weight +float32 +\[4, 3, 3, 3\]$/m);
    expect(stdout).toMatch(/^9 tensors, 147 numbers, pth\nwrapper: state_dict$/m);
  });

  it('gives one JSON document', async () => {
    const { code, stdout } = await run(path, '--json', '--model', 'resnet18_micro');
    expect(code).toBe(0);
    const document: Record<string, unknown> = JSON.parse(stdout);
    const names = [...model.state().keys()];
    expect(document).toMatchObject({
      path,
      format: 'safetensors',
      metadata: { note: 'red\u001b[31m' },
      model: { id: 'resnet18_micro', classes: 7, fits: true, matched: names, missing: [] },
    });
    const tensors = document.tensors;
    expect(Array.isArray(tensors) && tensors.length).toBe(names.length);
    expect(Array.isArray(tensors) && tensors[0]).toEqual({
      name: 'conv1.weight',
      dtype: 'float32',
      shape: [16, 3, 7, 7],
    });
  });

  it('tells matched, missing, unexpected and wrong-shaped names, and what is not finite', async () => {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, tensor] of model.state()) {
      const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      tensors.set(`module.${name}`, { dtype: tensor.dtype, shape: tensor.shape, bytes });
    }
    const number = (value: number): StoredTensor => ({
      dtype: 'float32',
      shape: [1],
      bytes: new Uint8Array(new Float32Array([value]).buffer),
    });
    tensors.delete('module.bn1.weight');
    tensors.delete('module.fc.weight');
    tensors.set('module.bn1.bias', number(1));
    tensors.set('extra\u001b[31m', number(Number.NaN));
    const damaged = temporaryPath('damaged.safetensors');
    await writeSafetensors(damaged, tensors);
    const { code, stdout } = await run(damaged, '--model', 'resnet18_micro');
    expect(code).toBe(0);
    expect(stdout).toContain('against resnet18_micro: 119 matched');
    expect(stdout).toContain('missing: 2\n  bn1.weight\n  fc.weight\n');
    expect(stdout).toContain('wrong shape: 1\n  bn1.bias  [1] in the file, [16] in the model\n');
    expect(stdout).toContain('NaN or infinity: 1\n  extra\\u001b[31m\n');
    expect(stdout).toContain('unexpected: 1\n  extra\\u001b[31m\n');
    expect(stdout).toContain('head: none that fits');
    expect(stdout).toMatch(/does not fit resnet18_micro\n$/);
    // A file must not steer the terminal.
    expect(stdout).not.toContain('\u001b');
  });

  it('says whose a checkpoint is and which model it fits, without being told', async () => {
    const renamed = temporaryPath('children.safetensors');
    const names = [...model.state()].map(([name, tensor]): [string, typeof tensor] => [
      `module.backbone.${resnetAsChildren(name)}`,
      tensor,
    ]);
    await writeSafetensors(renamed, new Map(names));
    const { code, stdout } = await run(renamed);
    expect(code).toBe(0);
    expect(stdout).toContain('family: RadImageNet');
    expect(stdout).toContain('under "module.backbone."');
    expect(stdout).toContain('network: a residual network of 2-2-2-2 basic blocks, 16 channels');
    expect(stdout).toContain('model: resnet18_micro\n');
    expect(stdout).toMatch(/head: 7 classes .+\nfits resnet18_micro\n$/);
    const other = await run(renamed, '--model', 'deit_micro', '--json');
    expect(JSON.parse(other.stdout)).toMatchObject({
      recognised: { model: 'resnet18_micro', prefix: 'module.backbone.', classes: 7 },
      model: { id: 'deit_micro', fits: false, matched: [] },
    });
    const unknown = await run(goldenPath('torch1-legacy-model.pth'));
    expect(unknown.stdout).toContain('container: PyTorch before 1.6\nfamily: none that is known');
  });

  it('ends with code 2 for a request that is wrong and 1 for a file that is', async () => {
    const missing = await run(temporaryPath('none.pth'));
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/^error: .+no such file.+\n$/);
    const unknown = await run(path, '--model', 'resnet18_mikro');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/did you mean .*resnet18_micro/);
    const page = await run(temporaryFile(Buffer.from('<!DOCTYPE html>'), '.pth'), '--json');
    expect(page.code).toBe(1);
    expect(JSON.parse(page.stdout)).toMatchObject({ error: { exitCode: 1 } });
    const attack = await run(goldenPath('torch2-refused-call.pth'));
    expect(attack.code).toBe(1);
    expect(attack.stderr).toMatch(/^error: .+refers to posix\.system .+\n$/);
  });
});
