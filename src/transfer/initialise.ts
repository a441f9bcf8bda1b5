/** Gives a network the weights that it starts training from. */
import {
  type ImageModel,
  initialiseHead,
  initialiseRandom,
  type TensorRole,
  tensorRoles,
} from '../models/index.ts';
import { fromTypedArray, Generator, noGrad, ops, scope, type Tensor } from '../tensor/index.ts';
import { RandomStream, RequestError } from '../util/index.ts';
import { loadWeights, type MatchReport } from '../weights/index.ts';
import { countKept, type Scheme, schemeLabel, type TransferSettings } from './schemes.ts';
import { drawNormal, statisticsOf } from './statistics.ts';

/** What became of a tensor. */
type Treatment =
  /** It has its pretrained values. */
  | 'kept'
  /** Drawn from the statistics of its pretrained values. */
  | 'sampled'
  /** Put to what a new layer has: 0 or 1. */
  | 'reset'
  /** Drawn without a checkpoint: the head of every scheme, and everything but norms and biases under ri. */
  | 'random';

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

/** What stats transfer does to a tensor of the backbone. */
function treatmentOf(
  tensor: Tensor,
  { layer, part }: TensorRole,
  { norm = 'reset', tokens = 'sample' }: TransferSettings,
): Treatment {
  if (layer === 'norm') {
    const isLearnt = part === 'weight' || part === 'bias';
    return norm === 'sample' && isLearnt ? oneElementKept(tensor) : 'reset';
  }
  // Integer tables, which index something, are part of the architecture and not weights.
  if (!tensor.dtype.startsWith('float')) return 'kept';
  return layer === 'token' && tokens === 'keep' ? 'kept' : oneElementKept(tensor);
}

/** One element has no deviation: it keeps its value. */
function oneElementKept(tensor: Tensor): Treatment {
  return tensor.elementCount < 2 ? 'kept' : 'sampled';
}

/** A copy of a float32 tensor's elements. */
function floatsOf(tensor: Tensor): Float32Array {
  const values = tensor.toTypedArray();
  if (values instanceof Float32Array) return values;
  throw new Error(`A network's weights are float32, not ${tensor.dtype}.`);
}

function sample(name: string, tensor: Tensor, seed: number): void {
  const statistics = statisticsOf(floatsOf(tensor));
  const drawn = drawNormal(statistics, tensor.elementCount, { seed, name });
  scope(() => ops.copy_(tensor, fromTypedArray(drawn, tensor.shape)));
}

/** A normalisation layer's tensor as in a new layer: scale and variance 1, the rest 0. */
function reset(tensor: Tensor, { part }: TensorRole): void {
  ops.fill_(tensor, part === 'weight' || part === 'running_var' ? 1 : 0);
}

/** Stats-transfers every module but the first `kept`; the model holds the pretrained weights. */
function transferStatistics(
  model: ImageModel,
  kept: number,
  settings: TransferSettings,
  report: InitialisationReport,
): void {
  const roles = tensorRoles(model);
  const order = new Map(model.groups.map((group, index) => [group, index]));
  for (const [name, tensor] of model.state()) {
    if (model.isHead(name)) continue;
    const group = model.groupOf(name);
    const role = roles.get(name);
    const index = group && order.get(group);
    if (index === undefined || !role) {
      throw new Error(`${model.id}: the tensor ${name} belongs to no module.`);
    }
    const treatment = index < kept ? 'kept' : treatmentOf(tensor, role, settings);
    if (treatment === 'sampled') sample(name, tensor, settings.seed);
    if (treatment === 'reset') reset(tensor, role);
    report.tensors[treatment].push(name);
  }
}

function listRandom(model: ImageModel, report: InitialisationReport): void {
  const roles = tensorRoles(model);
  for (const name of model.state().keys()) {
    const role = roles.get(name);
    const isReset = role?.layer === 'norm' || role?.part === 'bias';
    if (!model.isHead(name)) report.tensors[isReset ? 'reset' : 'random'].push(name);
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
  const report: InitialisationReport = {
    scheme,
    label: schemeLabel(model, settings),
    seed,
    keptModules: model.groups.slice(0, kept).map(({ name }) => name),
    moduleCount: model.groups.length,
    tensors: { kept: [], sampled: [], reset: [], random: [] },
  };
  if (scheme === 'ri') {
    withGenerators('random initialisation', seed, (generator) => {
      initialiseRandom(model, { generator, scheme: settings.kaiming ? 'kaiming' : 'default' });
    });
    listRandom(model, report);
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
      matched,
      unexpected,
      adapted,
      ignored,
      optional,
    };
    noGrad(() => transferStatistics(model, kept, settings, report));
  }
  withGenerators('head', seed, (generator) => initialiseHead(model, generator));
  report.tensors.random.push(...[...model.state().keys()].filter((name) => model.isHead(name)));
  return report;
}
