/** Networks from checkpoint files: outputs, channels and sizes as the file and the request have them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type NetworkRequest, openNetwork } from '../../src/eval/index.ts';
import { createModel } from '../../src/models/index.ts';
import { inferenceMode, liveTensors, ops, scope, type Tensor } from '../../src/tensor/index.ts';
import { hashFile } from '../../src/util/index.ts';
import { writeSafetensors } from '../../src/weights/index.ts';
import { fill, images } from '../models/formula.ts';

const folder = mkdtempSync(join(tmpdir(), 'carryover-networks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Contents {
  classes?: number;
  inputChannels?: 1 | 3;
  imageSize?: number;
  metadata?: Record<string, string>;
  without?: string;
}

let files = 0;
async function checkpoint(id: string, contents: Contents = {}): Promise<string> {
  const { classes = 4, inputChannels, imageSize, metadata, without } = contents;
  const model = fill(createModel(id, { classes, inputChannels, imageSize }));
  const path = join(folder, `${files++}.safetensors`);
  const state: [string, Tensor][] = [...model.state()].filter(([name]) => name !== without);
  await writeSafetensors(path, new Map(state), metadata);
  model.dispose();
  return path;
}

async function opened(
  request: NetworkRequest,
): Promise<{ shape: readonly number[]; classes?: number; channels: number; adapted: string[] }> {
  const { model, classes, report } = await openNetwork(request);
  try {
    expect(model.training).toBe(false);
    const { inputChannels: channels, inputSize } = model;
    const shape = scope(() => {
      const input = ops.narrow(images(2, inputSize), 1, 0, channels);
      return inferenceMode(() => model.forward(input)).shape;
    });
    return { shape, classes, channels, adapted: report.adapted.map(({ name }) => name) };
  } finally {
    model.dispose();
  }
}

describe('openNetwork', () => {
  it('takes the outputs from the head, and the model from the file where it is named', async () => {
    const weights = await checkpoint('resnet18_micro', { metadata: { model: 'resnet18_micro' } });
    const before = liveTensors().count;
    expect(await opened({ weights, needsHead: true })).toMatchObject({ shape: [2, 4], classes: 4 });
    expect(liveTensors().count).toBe(before);
    const one = await checkpoint('deit_micro', { classes: 1 });
    expect(await opened({ weights: one, model: 'deit_micro' })).toMatchObject({ classes: 1 });
    const { weights: described, model } = await openNetwork({ weights });
    expect(described).toEqual({ path: weights, sha256: await hashFile(weights) });
    model.dispose();
  });

  it('asks for the model where neither says it, and for another where it is unknown', async () => {
    const weights = await checkpoint('resnet18_micro');
    await expect(openNetwork({ weights })).rejects.toThrow('--model');
    await expect(openNetwork({ weights, model: 'resnet18_mikro' })).rejects.toThrow(
      'did you mean resnet18 or resnet18_micro',
    );
  });

  it('does without a head unless it is needed', async () => {
    const weights = await checkpoint('resnet18_micro', { without: 'fc.weight' });
    const model = 'resnet18_micro';
    expect((await opened({ weights, model })).classes).toBeUndefined();
    const before = liveTensors().count;
    await expect(openNetwork({ weights, model, needsHead: true })).rejects.toThrow(
      'expected a head for resnet18_micro, to compute logits with, got no fc.weight',
    );
    expect(liveTensors().count).toBe(before);
  });

  it('refuses a file of another network', async () => {
    const weights = await checkpoint('resnet18_micro');
    await expect(openNetwork({ weights, model: 'deit_micro' })).rejects.toThrow(
      'expected the weights of deit_micro',
    );
  });

  it.each([
    ['resnet18_micro', 96, []],
    ['deit_micro', 96, ['pos_embed']],
    [
      'swin_micro',
      96,
      expect.arrayContaining(['layers.0.blocks.0.attn.relative_position_bias_table']),
    ],
  ])('makes %s fit another size', async (model, imageSize, adapted) => {
    const weights = await checkpoint(model);
    expect(await opened({ weights, model, imageSize })).toMatchObject({
      shape: [2, 4],
      classes: 4,
      adapted,
    });
    const large = await checkpoint(model, { imageSize });
    expect(await opened({ weights: large, model })).toMatchObject({ classes: 4, adapted });
    expect(await opened({ weights: large, model, imageSize })).toMatchObject({ adapted: [] });
  });

  it('has as many channels as the file, or as asked for', async () => {
    for (const model of ['resnet18_micro', 'deit_micro', 'swin_micro']) {
      const one = await checkpoint(model, { inputChannels: 1 });
      expect(await opened({ weights: one, model })).toMatchObject({ channels: 1, adapted: [] });
      const three = await checkpoint(model);
      expect((await opened({ weights: three, model, inputChannels: 1 })).channels).toBe(1);
      await expect(openNetwork({ weights: one, model, inputChannels: 3 })).rejects.toThrow(
        'of another shape',
      );
    }
  });
});
