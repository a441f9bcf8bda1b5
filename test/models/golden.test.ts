/** Logits, taps, attention weights and gradients against torchvision and a plain PyTorch transformer. */
import { describe, expect, it } from 'vitest';
import { collectTaps, createModel, type ImageModel } from '../../src/models/index.ts';
import { Dropout } from '../../src/nn/index.ts';
import { backward, inferenceMode, ops, scope, tensor } from '../../src/tensor/index.ts';
import {
  fill,
  type Golden,
  images,
  readGolden,
  summarise,
  type TrainingGolden,
  toDouble,
} from './formula.ts';

const cases = [
  'resnet18',
  'resnet50',
  'resnet152',
  'inception_v3',
  'deit_tiny',
  'deit_small',
  'deit_small:5',
  'deit_base',
  'deit_micro',
  'swin_tiny',
  'swin_micro',
];

function using(id: string, imageSize: number, classes: number, body: (model: ImageModel) => void) {
  const model = fill(createModel(id, { classes, imageSize }));
  try {
    scope(() => body(model));
  } finally {
    model.dispose();
  }
}

/** The one random part of a training pass, which the references leave out. */
function withoutDropout(model: ImageModel): void {
  for (const module of model.namedModules().values()) {
    if (module instanceof Dropout) module.eval();
  }
}

function fail(name: string): never {
  throw new Error(`nothing to compare for ${name}`);
}

describe.each(cases)('%s', (id) => {
  const golden = readGolden<Golden>(id.replace(':', '_'));
  const { evaluation, training, classes } = golden;

  it('has upstream names in upstream order', () => {
    using(id, evaluation.size, classes, (model) => {
      expect([...model.state().keys()]).toEqual(golden.names);
    });
  });

  it('gives the logits, taps, embeddings and attention weights of PyTorch', () => {
    using(id, evaluation.size, classes, (model) => {
      model.eval();
      const batch = images(evaluation.batch, evaluation.size);
      const seen = inferenceMode(() => collectTaps(model, batch));
      expect(seen.logits).toBeAllclose(evaluation.logits, { absolute: 1e-4 });
      const unobserved = inferenceMode(() => model.forward(batch));
      expect(unobserved).toBeAllclose(evaluation.logits, { absolute: 1e-4 });
      expect([...seen.taps.keys()]).toEqual(Object.keys(evaluation.taps));
      expect(model.taps.map(({ name }) => name)).toEqual(Object.keys(evaluation.taps));
      for (const [name, value] of seen.taps) {
        const { value: expected, embeddings } = evaluation.taps[name] ?? fail(name);
        const ours = summarise(value, 16);
        expect(ours.shape, name).toEqual(expected.shape);
        expect(ours.norm, name).toBeAllclose(expected.norm, { relative: 1e-5 });
        expect(ours.samples, name).toBeAllclose(expected.samples, { absolute: 1e-4 });
        expect([...model.embeddingKinds(name)].sort()).toEqual(Object.keys(embeddings).sort());
        for (const kind of model.embeddingKinds(name)) {
          const { shape, samples } = embeddings[kind] ?? fail(`${name} ${kind}`);
          const embedding = summarise(model.embedding(name, value, kind), samples.length);
          expect(embedding.shape, `${name} ${kind}`).toEqual(shape);
          expect(embedding.samples, `${name} ${kind}`).toBeAllclose(samples, { absolute: 1e-4 });
        }
      }
      expect([...seen.attention.keys()]).toEqual(Object.keys(evaluation.attention ?? {}));
      for (const [name, weights] of seen.attention) {
        const expected = evaluation.attention?.[name] ?? fail(name);
        const ours = summarise(weights, 16);
        expect(ours.shape, name).toEqual(expected.shape);
        expect(ours.samples, name).toBeAllclose(expected.samples, { absolute: 1e-5 });
      }
    });
  });

  // Larger models of the same blocks have none.
  const trained = it.runIf(training.length > 0);

  // The reference is in float64: ours in float64 proves the semantics, in float32 the kernels.
  trained('gives the training loss and gradients of PyTorch in float64', () => {
    for (const record of training.slice(0, 1)) checkTraining(id, classes, record, 'float64', 1e-7);
  });

  // Where the ReLU's kink lies within rounding of an activation, float32 gradients jump by a percent:
  // there are several inputs for the network with the most of them, and one has to agree throughout.
  trained('gives the training loss and gradients of PyTorch in float32', () => {
    const failures: unknown[] = [];
    for (const record of training) {
      try {
        checkTraining(id, classes, record, 'float32', 1e-3);
        return;
      } catch (failure) {
        failures.push(failure);
      }
    }
    throw failures[0];
  });
});

/** Compares loss, every parameter's gradient and the running statistics after one pass in train mode. */
function checkTraining(
  id: string,
  classes: number,
  record: TrainingGolden,
  dtype: 'float32' | 'float64',
  relative: number,
): void {
  using(id, record.size, classes, (model) => {
    if (dtype === 'float64') toDouble(model);
    model.train();
    withoutDropout(model);
    const labels = tensor(record.labels, { dtype: 'int64' });
    const batch = images(labels.elementCount, record.size, record.input).to({ dtype });
    const loss = ops.crossEntropyLoss(model.forward(batch), labels);
    backward(loss);
    expect(loss).toBeAllclose(record.loss, { relative: relative / 10 });
    const parameters = model.namedParameters();
    expect([...parameters.keys()]).toEqual(Object.keys(record.gradients));
    for (const [name, parameter] of parameters) {
      const expected = record.gradients[name] ?? fail(name);
      const ours = summarise(parameter.grad ?? fail(name), 4);
      expect(ours.norm, name).toBeAllclose(expected.norm, { relative });
      // An element is compared on the scale of its tensor's root mean square.
      const absolute = (relative * expected.norm) / Math.sqrt(parameter.elementCount);
      expect(ours.samples, name).toBeAllclose(expected.samples, { relative, absolute });
    }
    for (const [name, expected] of Object.entries(record.buffers ?? {})) {
      const buffer = model.namedBuffers().get(name) ?? fail(name);
      expect(summarise(buffer, 4).samples, name).toBeAllclose(expected.samples, { relative });
    }
  });
}
