import { describe, expect, it } from 'vitest';
import {
  BatchNorm2d,
  Conv2d,
  type ConvolutionOptions,
  gelu,
  globalAveragePool,
  type Layer,
  LayerNorm,
  Linear,
  MaxPool2d,
  type Module,
  type Pair,
  type PoolingOptions,
  relu,
  softmax,
} from '../../src/nn/index.ts';
import { backward, noGrad, ops, scope, type Tensor, tensor } from '../../src/tensor/index.ts';
import { expectGolden, type Packed, readGolden, unpack } from './golden.ts';

interface Step {
  input: Packed;
  output: Packed;
  upstream: Packed;
  gradients: Record<string, Packed>;
}

interface Case<Options> extends Step {
  options: Options;
  state: Record<string, Packed>;
}

interface Golden {
  linear: Case<{ inputs: number; outputs: number; bias: boolean }>[];
  convolution: Case<ConvolutionOptions & { inputs: number; outputs: number; kernel: Pair }>[];
  batchNorm: {
    options: { epsilon?: number; momentum?: number };
    state: Record<string, Packed>;
    training: (Step & { buffers: Record<string, Packed> })[];
    evaluation: Step;
  }[];
  layerNorm: Case<{ epsilon?: number }>[];
  functions: Record<'relu' | 'gelu' | 'softmax' | 'globalAveragePool', Case<object>>;
  maxPool: Case<PoolingOptions & { kernel: Pair }>[];
}

const golden = readGolden<Golden>('layers');

/** Copies values into a module's parameters, all of them. */
function fill(module: Module, state: Record<string, Packed>): void {
  const parameters = module.namedParameters();
  expect([...parameters.keys()]).toEqual(Object.keys(state));
  noGrad(() => {
    for (const [name, parameter] of parameters) {
      ops.copy_(parameter, unpack(state[name] ?? { shape: [0], values: [] }));
    }
  });
}

/** Runs forward and backward, and compares the output and every gradient. */
function check(forward: (input: Tensor) => Tensor, step: Step, module?: Module): void {
  const input = unpack(step.input);
  input.requiresGrad = true;
  const parameters = module?.namedParameters() ?? new Map<string, Tensor>();
  for (const parameter of parameters.values()) parameter.clearGrad();
  const output = forward(input);
  expectGolden(output, step.output);
  backward(output, { gradient: unpack(step.upstream) });
  const gradients = { input: input.grad } as Record<string, Tensor | undefined>;
  for (const [name, parameter] of parameters) gradients[name] = parameter.grad;
  expect(Object.keys(gradients)).toEqual(Object.keys(step.gradients));
  for (const [name, expected] of Object.entries(step.gradients)) {
    expectGolden(gradients[name], expected);
  }
}

function checkLayer(layer: Layer, golden: Case<object>): void {
  fill(layer, golden.state);
  check((input) => layer.forward(input), golden, layer);
  layer.dispose();
}

describe('against PyTorch, forward and backward', () => {
  it.each(golden.linear)('linear $options', (record) =>
    scope(() => {
      const { inputs, outputs, bias } = record.options;
      checkLayer(new Linear(inputs, outputs, { bias }), record);
    }),
  );

  it.each(golden.convolution)('convolution $options', (record) =>
    scope(() => {
      const { inputs, outputs, kernel, ...options } = record.options;
      checkLayer(new Conv2d(inputs, outputs, kernel, options), record);
    }),
  );

  it.each(golden.convolution)('convolution, channels last, $options', (record) =>
    scope(() => {
      const { inputs, outputs, kernel, ...options } = record.options;
      const layer = new Conv2d(inputs, outputs, kernel, options).to({
        memoryFormat: 'channelsLast',
      });
      fill(layer, record.state);
      expect(layer.weight.isContiguous('channelsLast')).toBe(true);
      check((input) => layer.forward(input.contiguous('channelsLast')), record, layer);
      layer.dispose();
    }),
  );

  it.each(golden.layerNorm)('layer norm $options', (record) =>
    scope(() => {
      const features = record.input.shape.at(-1) ?? 0;
      checkLayer(new LayerNorm(features, record.options), record);
    }),
  );

  it.each(golden.maxPool)('max pool $options', (record) =>
    scope(() => {
      const { kernel, ...options } = record.options;
      checkLayer(new MaxPool2d(kernel, options), record);
    }),
  );

  it('activations and global average pool', () =>
    scope(() => {
      check(relu, golden.functions.relu);
      check(gelu, golden.functions.gelu);
      check((input) => softmax(input, -1), golden.functions.softmax);
      check(globalAveragePool, golden.functions.globalAveragePool);
    }));

  it.each(golden.batchNorm)(
    'batch norm: training, running statistics, evaluation, $options',
    (record) =>
      scope(() => {
        const layer = new BatchNorm2d(3, record.options);
        fill(layer, record.state);
        for (const batch of record.training) {
          check((input) => layer.forward(input), batch, layer);
          const buffers = layer.namedBuffers();
          expect([...buffers.keys()]).toEqual(Object.keys(batch.buffers));
          for (const [name, expected] of Object.entries(batch.buffers)) {
            expectGolden(buffers.get(name), expected);
          }
        }
        layer.eval();
        const before = layer.runningMean.toArray();
        check((input) => layer.forward(input), record.evaluation, layer);
        expect(layer.runningMean.toArray()).toEqual(before);
        expect(layer.batchesTracked.item()).toBe(record.training.length);
        layer.dispose();
      }),
  );
});

describe('identities', () => {
  const noise = (shape: number[]) => ops.randn(shape, { generator: undefined });

  it('new norms are the identity: on evaluation for batch norm, on normalised rows for layer norm', () =>
    scope(() => {
      const input = noise([2, 3, 2, 2]);
      const batchNorm = new BatchNorm2d(3, { epsilon: 0 }).eval();
      expect(batchNorm.forward(input)).toBeAllclose(input, { relative: 1e-6 });
      const row = tensor([1, -1, 1, -1]);
      expect(new LayerNorm(4, { epsilon: 0 }).forward(row)).toBeAllclose(row, { relative: 1e-6 });
    }));

  it('batch norm refuses to train on one value a channel, which has no variance', () =>
    scope(() => {
      const layer = new BatchNorm2d(3);
      const single = noise([1, 3, 1, 1]);
      expect(() => layer.forward(single)).toThrow(/more than one value in each channel/);
      expect(layer.forward(noise([1, 3, 1, 2])).shape).toEqual([1, 3, 1, 2]);
      expect(layer.eval().forward(single).shape).toEqual([1, 3, 1, 1]);
    }));

  it('batch norm in training gives mean 0 and variance 1 over batch and pixels', () =>
    scope(() => {
      const output = new BatchNorm2d(3).forward(ops.add(noise([8, 3, 5, 5]), 7));
      const byChannel = ops.flatten(ops.transpose(output, 0, 1), 1);
      expect(ops.mean(byChannel, 1)).toBeAllclose([0, 0, 0], { absolute: 1e-5 });
      expect(ops.var(byChannel, 1, { correction: 0 })).toBeAllclose([1, 1, 1], { absolute: 1e-4 });
    }));

  it('a 1×1 convolution is a linear layer over channels', () =>
    scope(() => {
      const convolution = new Conv2d(3, 4, 1);
      const linear = new Linear(3, 4);
      const weight = noise([4, 3]);
      noGrad(() => {
        ops.copy_(linear.weight, weight);
        ops.copy_(convolution.weight, ops.reshape(weight, [4, 3, 1, 1]));
      });
      const input = noise([2, 3, 5, 5]);
      const byPixel = linear.forward(ops.permute(input, [0, 2, 3, 1]));
      expect(convolution.forward(input)).toBeAllclose(ops.permute(byPixel, [0, 3, 1, 2]), {
        relative: 1e-5,
        absolute: 1e-6,
      });
    }));

  it('global average pool equals the mean, and the exact GELU obeys gelu(x) - gelu(-x) = x', () =>
    scope(() => {
      const input = noise([2, 3, 4, 4]);
      expect(globalAveragePool(input)).toBeAllclose(ops.mean(input, [2, 3]), {
        relative: 1e-5,
        absolute: 1e-7,
      });
      expect(ops.sub(gelu(input), gelu(ops.neg(input)))).toBeAllclose(input, {
        relative: 1e-5,
        absolute: 1e-6,
      });
    }));
});
