import { describe, expect, it } from 'vitest';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Layer,
  Linear,
  Module,
  Sequential,
} from '../../src/nn/index.ts';
import {
  backward,
  getRandomState,
  liveTensors,
  manualSeed,
  ops,
  scope,
  setRandomState,
  type Tensor,
} from '../../src/tensor/index.ts';

class Block extends Layer {
  readonly token = this.parameter('token', ops.zeros([1]));
  readonly body = this.child(
    'body',
    new Sequential([new Conv2d(3, 2, 1, { bias: false }), new BatchNorm2d(2), new Dropout(0.5)]),
  );
  readonly counter = this.buffer('counter', ops.zeros([1]));

  override forward(input: Tensor): Tensor {
    return this.body.forward(input);
  }
}

class Network extends Module {
  readonly block = this.child('block', new Block());
  readonly fc = this.child('fc', new Linear(2, 2));
}

describe('module', () => {
  it("names parameters, buffers and state in PyTorch's order", () => {
    const network = new Network();
    expect([...network.namedParameters().keys()]).toEqual([
      'block.token',
      'block.body.0.weight',
      'block.body.1.weight',
      'block.body.1.bias',
      'fc.weight',
      'fc.bias',
    ]);
    expect([...network.namedBuffers().keys()]).toEqual([
      'block.counter',
      'block.body.1.running_mean',
      'block.body.1.running_var',
      'block.body.1.num_batches_tracked',
    ]);
    expect([...network.state().keys()]).toEqual([
      'block.token',
      'block.counter',
      'block.body.0.weight',
      'block.body.1.weight',
      'block.body.1.bias',
      'block.body.1.running_mean',
      'block.body.1.running_var',
      'block.body.1.num_batches_tracked',
      'fc.weight',
      'fc.bias',
    ]);
    expect([...network.namedModules().keys()]).toEqual([
      '',
      'block',
      'block.body',
      'block.body.0',
      'block.body.1',
      'block.body.2',
      'fc',
    ]);
    expect([...network.namedParameters().values()].every((p) => p.requiresGrad)).toBe(true);
    expect([...network.namedBuffers().values()].some((b) => b.requiresGrad)).toBe(false);
    network.dispose();
  });

  it('train and eval reach every module', () => {
    const network = new Network();
    const modes = () => [...network.namedModules().values()].map(({ training }) => training);
    expect(new Set(modes())).toEqual(new Set([true]));
    network.eval();
    expect(new Set(modes())).toEqual(new Set([false]));
    network.train();
    expect(new Set(modes())).toEqual(new Set([true]));
    network.dispose();
  });

  it('outlives the scope that made it, and dispose frees everything', () => {
    const before = liveTensors();
    const network = scope(() => {
      const made = new Network();
      return () => made;
    })();
    expect(network.fc.weight.toArray()).toEqual([0, 0, 0, 0]);
    scope(() => backward(ops.sum(network.fc.forward(ops.ones([1, 2])))));
    network.dispose();
    expect(liveTensors()).toEqual(before);
  });

  it('moves kernels and their gradients to channels last, and no others, keeping identity', () => {
    const layer = new Sequential([new Conv2d(3, 4, 2), new BatchNorm2d(4)]);
    scope(() => backward(ops.sum(layer.forward(ops.ones([1, 3, 4, 4])))));
    const before = layer.namedParameters();
    const kernel = before.get('0.weight');
    layer.to({ memoryFormat: 'channelsLast' });
    expect(layer.namedParameters().get('0.weight')).toBe(kernel);
    expect(kernel?.isContiguous('channelsLast')).toBe(true);
    expect(scope(() => kernel?.grad?.isContiguous('channelsLast'))).toBe(true);
    expect(before.get('1.weight')?.isContiguous()).toBe(true);
    expect(kernel?.requiresGrad).toBe(true);
    layer.to({ memoryFormat: 'contiguous' });
    expect(kernel?.isContiguous()).toBe(true);
    layer.dispose();
  });

  it('refuses two members of one name, and names with dots', () => {
    class Twice extends Module {
      a = this.parameter('a', ops.zeros([1]));
      b = this.buffer('a', ops.zeros([1]));
    }
    class Dotted extends Module {
      a = this.parameter('a.b', ops.zeros([1]));
    }
    expect(() => new Twice()).toThrow(/already/);
    expect(() => new Dotted()).toThrow(/a\.b/);
  });
});

describe('dropout', () => {
  it('drops at the rate, scales the rest, and is the identity in evaluation', () =>
    scope(() => {
      const layer = new Dropout(0.3);
      manualSeed(1);
      const values = layer.forward(ops.ones([100_000])).toArray();
      const dropped = values.filter((value) => value === 0).length;
      expect(dropped / values.length).toBeAllclose(0.3, { absolute: 0.01 });
      const kept = values.filter((value) => value !== 0);
      expect(kept).toBeAllclose(new Array(kept.length).fill(1 / 0.7), { relative: 1e-6 });
      const input = ops.ones([5]);
      expect(layer.eval().forward(input)).toBe(input);
    }));

  it('draws from the default generator: a state put back gives the same draw', () =>
    scope(() => {
      const layer = new Dropout(0.5);
      const draw = () => layer.forward(ops.ones([64])).toArray();
      manualSeed(7);
      draw();
      const state = getRandomState();
      const first = draw();
      const second = draw();
      setRandomState(state);
      expect(draw()).toEqual(first);
      expect(second).not.toEqual(first);
    }));

  it('refuses a probability outside [0, 1]', () => {
    expect(() => new Dropout(1.5)).toThrow(/1\.5/);
    expect(() => new Dropout(Number.NaN)).toThrow(/NaN/);
  });
});
