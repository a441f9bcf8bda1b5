import { describe, expect, it } from 'vitest';
import { Adam, AdamW, clipGradientNorm, decayGroups } from '../../src/nn/index.ts';
import { keep, liveTensors, ops, scope, type Tensor, tensor } from '../../src/tensor/index.ts';
import { WorkError } from '../../src/util/index.ts';
import { expectGolden, type Packed, readGolden, unpack } from './golden.ts';

interface Trajectory {
  kind: 'adam' | 'adamw';
  groups: { parameters: string[]; weightDecay: number; learningRate?: number }[];
  settings: { learningRate: number; betas?: [number, number]; epsilon?: number };
  clip: number | null;
  absent: Record<string, number[]> | null;
  rates: number[] | null;
  initial: Record<string, Packed>;
  norms: Packed | null;
  parameters: Record<string, Record<string, Packed>>;
  moments: Record<string, Packed>;
}

const { shapes, trajectories } = readGolden<{
  shapes: Record<string, number[]>;
  trajectories: Trajectory[];
}>('optimisers');

/** The formula of the golden script: scale(step) · sin(0.7 · step + 0.31 · index + position of the name). */
function gradient(name: string, step: number): Tensor {
  const shape = shapes[name] ?? [];
  const count = shape.reduce((product, size) => product * size, 1);
  const scale = 10 ** ((step % 4) - 2);
  const position = Object.keys(shapes).indexOf(name);
  const values = Array.from(
    { length: count },
    (_, index) => scale * Math.sin(step * 0.7 + index * 0.31 + position),
  );
  return tensor(values, { shape });
}

type Parameters = Map<string, Tensor>;

function start(trajectory: Trajectory): { parameters: Parameters; optimiser: Adam } {
  const parameters: Parameters = new Map();
  for (const [name, packed] of Object.entries(trajectory.initial)) {
    const parameter = keep(unpack(packed));
    parameter.requiresGrad = true;
    parameters.set(name, parameter);
  }
  return { parameters, optimiser: optimiserFor(trajectory, parameters) };
}

function optimiserFor(trajectory: Trajectory, parameters: Parameters): Adam {
  const Kind = trajectory.kind === 'adam' ? Adam : AdamW;
  return new Kind({
    groups: trajectory.groups.map((group) => ({
      ...group,
      parameters: new Map([...parameters].filter(([name]) => group.parameters.includes(name))),
    })),
    ...trajectory.settings,
    clip: trajectory.clip ?? undefined,
  });
}

function advance(trajectory: Trajectory, parameters: Parameters, optimiser: Adam, step: number) {
  scope(() => {
    const { rates, absent } = trajectory;
    if (rates) optimiser.learningRate = rates[(step - 1) % rates.length] ?? 0;
    for (const [name, parameter] of parameters) {
      const isAbsent = absent?.[name]?.includes(step) ?? false;
      parameter.setGrad(isAbsent ? undefined : gradient(name, step));
    }
    optimiser.step();
  });
}

const values = (tensors: Parameters) => [...tensors].map(([name, t]) => [name, t.toArray()]);

function firstTrajectory(index: number): Trajectory {
  const trajectory = trajectories[index];
  if (!trajectory) throw new Error(`no trajectory ${index}`);
  return trajectory;
}

describe('Adam and AdamW', () => {
  it.each(trajectories)('follow PyTorch for 60 steps: $kind, clip $clip, $groups', (trajectory) => {
    const { parameters, optimiser } = start(trajectory);
    for (let step = 1; step <= 60; step++) {
      advance(trajectory, parameters, optimiser, step);
      for (const [name, expected] of Object.entries(trajectory.parameters[step] ?? {})) {
        expectGolden(parameters.get(name), expected);
      }
    }
    expect(Object.keys(trajectory.parameters)).toHaveLength(4);
    const state = optimiser.state();
    expect([...state.keys()].sort()).toEqual(Object.keys(trajectory.moments).sort());
    for (const [name, expected] of Object.entries(trajectory.moments)) {
      expectGolden(state.get(name), expected);
    }
  });

  it.each(trajectories)('go on bit for bit from a saved state: $kind, clip $clip', (trajectory) => {
    const whole = start(trajectory);
    const halves = start(trajectory);
    for (let step = 1; step <= 9; step++) {
      advance(trajectory, whole.parameters, whole.optimiser, step);
      advance(trajectory, halves.parameters, halves.optimiser, step);
    }
    const saved = new Map(
      [...halves.optimiser.state()].map(([name, { shape, dtype }], index) => {
        const bytes = [...halves.optimiser.state().values()][index]?.toTypedArray();
        return [name, tensor(bytes ?? [], { shape, dtype })];
      }),
    );
    halves.optimiser.dispose();
    const resumed = optimiserFor(trajectory, halves.parameters);
    resumed.load(saved);
    for (let step = 10; step <= 20; step++) {
      advance(trajectory, whole.parameters, whole.optimiser, step);
      advance(trajectory, halves.parameters, resumed, step);
    }
    expect(values(halves.parameters)).toEqual(values(whole.parameters));
    expect(values(resumed.state())).toEqual(values(whole.optimiser.state()));
  });

  it('the first step moves each element by the rate, against the sign of its gradient', () => {
    const parameter = keep(tensor([1, 2, 3]));
    parameter.requiresGrad = true;
    parameter.setGrad(tensor([1e-3, -5, 70]));
    const parameters = new Map([['p', parameter]]);
    new Adam({ groups: [{ parameters, weightDecay: 0 }], learningRate: 0.1 }).step();
    expect(parameter).toBeAllclose([0.9, 2.1, 2.9], { relative: 1e-5 });
  });

  it('treats large parameters like small ones', () => {
    const sizes = [200_000, 200_000, 1, 300_000];
    const parameters = new Map(
      sizes.map((size, index) => [`p${index}`, keep(ops.full([size], 1.5))]),
    );
    const optimiser = new Adam({
      groups: [{ parameters, weightDecay: 0.1 }],
      learningRate: 0.01,
      clip: 1,
    });
    for (let step = 1; step <= 3; step++) {
      for (const p of parameters.values()) p.setGrad(ops.full(p.shape, step - 1.7));
      optimiser.step();
    }
    const [reference = Number.NaN] = parameters.get('p2')?.toArray() ?? [];
    expect(reference).not.toBe(1.5);
    for (const parameter of parameters.values()) {
      expect([ops.min(parameter).item(), ops.max(parameter).item()]).toBeAllclose(
        [reference, reference],
        { relative: 1e-6 },
      );
    }
  });

  it('minimises a quadratic', () => {
    const parameter = keep(tensor([5, -3]));
    parameter.requiresGrad = true;
    const parameters = new Map([['p', parameter]]);
    const optimiser = new AdamW({ groups: [{ parameters, weightDecay: 0 }], learningRate: 0.1 });
    for (let step = 0; step < 400; step++) {
      parameter.setGrad(tensor(parameter.toArray().map((value, i) => 2 * (value - i - 1))));
      optimiser.step();
    }
    expect(parameter).toBeAllclose([1, 2], { absolute: 1e-2 });
  });

  it('keeps no tensors over steps beyond its state', () => {
    const trajectory = firstTrajectory(2);
    const { parameters, optimiser } = start(trajectory);
    advance(trajectory, parameters, optimiser, 1);
    const before = liveTensors();
    for (let step = 2; step <= 30; step++) advance(trajectory, parameters, optimiser, step);
    expect(liveTensors()).toEqual(before);
    optimiser.zeroGrad();
    expect([...parameters.values()].map(({ grad }) => grad)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('refuses state of another model, of another shape, or with parts missing', () => {
    const trajectory = firstTrajectory(0);
    const { parameters, optimiser } = start(trajectory);
    advance(trajectory, parameters, optimiser, 1);
    const state = optimiser.state();
    const other = new Map([['layer9.weight.exp_avg', tensor([1])]]);
    expect(() => optimiser.load(other)).toThrow(WorkError);
    expect(() => optimiser.load(other)).toThrow(/layer9\.weight\.exp_avg/);
    const misshapen = new Map(state).set('conv.bias.exp_avg', tensor([1, 2, 3]));
    expect(() => optimiser.load(misshapen)).toThrow(/expected shape \[2\], got \[3\]/);
    const partial = new Map(state);
    partial.delete('conv.bias.exp_avg_sq');
    expect(() => optimiser.load(partial)).toThrow(/no conv\.bias\.exp_avg_sq/);
  });

  it('refuses a parameter in two groups', () => {
    const parameters = new Map([['p', tensor([1])]]);
    const group = { parameters, weightDecay: 0 };
    expect(() => new Adam({ groups: [group, group], learningRate: 1 })).toThrow(/two groups/);
  });
});

describe('weight decay groups', () => {
  it('exempt biases and one-dimensional tensors', () => {
    const shapes = {
      'conv1.weight': [4, 3, 3, 3],
      'bn1.weight': [4],
      'bn1.bias': [4],
      cls_token: [1, 1, 8],
      'attn.bias': [2, 2],
      'head.weight': [2, 8],
    };
    const parameters = new Map(Object.entries(shapes).map(([name, s]) => [name, ops.zeros(s)]));
    const [decayed, exempt] = decayGroups(parameters, 1e-5);
    expect(decayed?.weightDecay).toBe(1e-5);
    expect([...(decayed?.parameters.keys() ?? [])]).toEqual([
      'conv1.weight',
      'cls_token',
      'head.weight',
    ]);
    expect(exempt?.weightDecay).toBe(0);
    expect([...(exempt?.parameters.keys() ?? [])]).toEqual(['bn1.weight', 'bn1.bias', 'attn.bias']);
  });
});

describe('gradient clipping', () => {
  it('returns the norms that PyTorch returns', () => {
    const clipped = trajectories.filter(({ clip }) => clip !== null);
    expect(clipped).toHaveLength(3);
    for (const trajectory of clipped) {
      const { parameters } = start(trajectory);
      const norms = Array.from({ length: 60 }, (_, index) =>
        scope(() => {
          for (const [name, parameter] of parameters) {
            const isAbsent = trajectory.absent?.[name]?.includes(index + 1) ?? false;
            parameter.setGrad(isAbsent ? undefined : gradient(name, index + 1));
          }
          return clipGradientNorm(parameters.values(), trajectory.clip ?? 0).item();
        }),
      );
      expect(norms).toBeAllclose(trajectory.norms?.values ?? [], { relative: 1e-6 });
    }
  });

  it('scales to the maximum above it and leaves gradients below it bit for bit', () => {
    const [left, right] = [keep(ops.zeros([2])), keep(ops.zeros([1]))];
    const set = (scale: number) => {
      left.setGrad(tensor([3 * scale, 0]));
      right.setGrad(tensor([4 * scale]));
    };
    set(2);
    expect(clipGradientNorm([left, right], 5).item()).toBeCloseTo(10, 5);
    expect(left.grad?.toArray()).toBeAllclose([3, 0], { relative: 1e-6 });
    expect(right.grad?.toArray()).toBeAllclose([4], { relative: 1e-6 });
    set(0.1);
    const before = left.grad?.toArray();
    clipGradientNorm([left, right], 5);
    expect(left.grad?.toArray()).toEqual(before);
  });

  it('is 0 without gradients, and NaN spreads instead of hiding', () => {
    const parameter = keep(ops.zeros([2]));
    expect(clipGradientNorm([parameter], 1).item()).toBe(0);
    parameter.setGrad(tensor([Number.NaN, 1]));
    expect(clipGradientNorm([parameter], 1).item()).toBeNaN();
    expect(parameter.grad?.toArray()).toEqual([Number.NaN, Number.NaN]);
  });
});
