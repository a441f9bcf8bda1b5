/** Gives a network the weights that it starts training from. */
import {
  type ImageModel,
  initialiseHead,
  initialiseRandom,
  mapCheckpointNames,
  type TensorRole,
  tensorRoles,
  toOneChannel,
} from '../models/index.ts';
import { fromTypedArray, Generator, noGrad, ops, scope, type Tensor } from '../tensor/index.ts';
import { RandomStream, RequestError } from '../util/index.ts';
import { describeMatch, loadWeights, type MatchReport, type WeightFile } from '../weights/index.ts';
import { planTransfer, type Treatment } from './plan.ts';
import { countKept, type Scheme, schemeLabel, type TransferSettings } from './schemes.ts';
import { drawNormal, statisticsOf } from './statistics.ts';

export interface InitialisationReport {
  scheme: Scheme;
  /** The paper's name: `WT`, `ST`, `RI`, `WT-ST-2/4`. */
  label: string;
  seed: number;
  /** The modules that keep their pretrained weights, from the input on, of `moduleCount`. */
  keptModules: string[];
  moduleCount: number;
  /** The model's tensors by what became of them. */
  tensors: Record<Treatment, string[]>;
  /** The checkpoint and how it fitted; absent under ri. */
  checkpoint?: Pick<MatchReport, 'unexpected' | 'adapted' | 'ignored' | 'optional'> & {
    path: string;
    /** How it was taken, in a sentence for people. */
    summary: string;
    /** How many of the backbone's tensors came from it. */
    matched: number;
  };
}

/** Generators by tensor name, each a pure function of (purpose, seed, name), freed after `body`. */
function withGenerators(
  purpose: string,
  seed: number,
  body: (source: (name: string) => Generator) => void,
): void {
  const generators: Generator[] = [];
  try {
    body((name) => {
      const generator = new Generator(new RandomStream(purpose, seed, name).integer(2 ** 32));
      generators.push(generator);
      return generator;
    });
  } finally {
    for (const generator of generators) generator.dispose();
  }
}

/** A copy of a float32 tensor's elements. */
function floatsOf(tensor: Tensor): Float32Array {
  const values = tensor.toTypedArray();
  if (values instanceof Float32Array) return values;
  throw new Error(`A network's weights are float32, not ${tensor.dtype}.`);
}

/**
 * The pretrained tensor that a model's tensor is drawn by: the file's own, before it was made to fit
 * another image size or number of channels.
 */
function pretrained(
  file: WeightFile,
  toFile: ReadonlyMap<string, string>,
  name: string,
  loaded: Tensor,
): Tensor {
  const stored = file.tensors.get(toFile.get(name) ?? '');
  if (!stored || stored.shape.join() === loaded.shape.join()) return loaded;
  return fromTypedArray(stored.bytes, stored.shape, { dtype: stored.dtype }).to({
    dtype: 'float32',
  });
}

/** A normalisation layer's tensor as in a new layer: scale and variance 1, the rest 0. */
function reset(tensor: Tensor, { part }: TensorRole): void {
  ops.fill_(tensor, part === 'weight' || part === 'running_var' ? 1 : 0);
}

/** Draws what is to be sampled and resets norms; the model holds the pretrained weights. */
function transferStatistics(
  model: ImageModel,
  file: WeightFile,
  plan: ReadonlyMap<string, Treatment>,
  { seed, firstConvolution = 'sum' }: TransferSettings,
): void {
  const roles = tensorRoles(model);
  const { toFile } = mapCheckpointNames(model, file.tensors.keys());
  for (const [name, tensor] of model.state()) {
    const role = roles.get(name);
    const treatment = plan.get(name);
    if (treatment === 'reset' && role) reset(tensor, role);
    if (treatment !== 'sampled') continue;
    scope(() => {
      const source = pretrained(file, toFile, name, tensor);
      // Drawn for three channels and then joined, so that one channel stays the same as its repetition.
      const joins = name === model.firstConvolution && source.shape[1] !== tensor.shape[1];
      const shape = joins ? source.shape : tensor.shape;
      const count = shape.reduce((product, size) => product * size, 1);
      const values = drawNormal(statisticsOf(floatsOf(source)), count, { seed, name });
      const drawn = fromTypedArray(values, shape);
      ops.copy_(tensor, joins ? toOneChannel(drawn, firstConvolution) : drawn);
    });
  }
}

/**
 * Initialises `model` in place by one of the schemes, the head always fresh, as `nn.Linear` has it.
 *
 * One seed, one draw: every drawn tensor is a pure function of (seed, tensor name) and, for stats transfer,
 * of its pretrained mean and deviation. So the head is the same in every scheme, and a tensor that is
 * stats-transferred gets the same values for every n of a WT-ST sweep and every data set.
 *
 * @throws RequestError when a scheme other than `ri` has no checkpoint, or n is not a number of modules.
 * @throws WorkError when the checkpoint does not fit (see `loadWeights`); the model is then unchanged.
 */
export function initialise(model: ImageModel, settings: TransferSettings): InitialisationReport {
  const { scheme, seed, weights } = settings;
  const kept = countKept(model, settings);
  const plan = planTransfer(model, settings);
  const report: InitialisationReport = {
    scheme,
    label: schemeLabel(model, settings),
    seed,
    keptModules: model.groups.slice(0, kept).map(({ name }) => name),
    moduleCount: model.groups.length,
    tensors: { kept: [], sampled: [], reset: [], random: [] },
  };
  for (const [name, treatment] of plan) report.tensors[treatment].push(name);
  if (scheme === 'ri') {
    withGenerators('random initialisation', seed, (generator) => {
      initialiseRandom(model, { generator, scheme: settings.kaiming ? 'kaiming' : 'default' });
    });
  } else {
    if (!weights) {
      throw new RequestError({
        where: `initialisation ${scheme}`,
        expected: 'a checkpoint to transfer from',
        got: 'none',
        hint: 'name one with --weights, or use ri',
      });
    }
    const { firstConvolution } = settings;
    const match = loadWeights(model, weights, { allowHeadMismatch: true, firstConvolution });
    const { unexpected, adapted, ignored, optional } = match;
    const matched = match.matched.filter((name) => !model.isHead(name)).length;
    report.checkpoint = {
      path: weights.path,
      summary: describeMatch(model, match),
      matched,
      unexpected,
      adapted,
      ignored,
      optional,
    };
    noGrad(() => transferStatistics(model, weights, plan, settings));
  }
  withGenerators('head', seed, (generator) => initialiseHead(model, generator));
  return report;
}
