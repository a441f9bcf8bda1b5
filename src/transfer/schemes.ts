/** The initialisation schemes: what is asked for, and how many modules keep their pretrained weights. */
import { createModel, type FirstConvolution, type ImageModel } from '../models/index.ts';
import { RequestError } from '../util/index.ts';
import type { WeightFile } from '../weights/index.ts';

/**
 * - wt: weight transfer, every tensor of the backbone from the checkpoint;
 * - st: stats transfer, every weight drawn from the normal distribution of its pretrained tensor;
 * - wt-st: weight transfer for the first `keep` modules, stats transfer for the rest;
 * - ri: random initialisation, without a checkpoint.
 *
 * The paper, section 2 ("Initialization methods") and appendix H. wt and st are wt-st with all modules
 * and with none.
 */
export type Scheme = 'wt' | 'st' | 'wt-st' | 'ri';

export interface TransferSettings {
  scheme: Scheme;
  /** n of WT-ST-n/m, for `wt-st` alone: how many of `model.groups`, from the input, keep their weights. */
  keep?: number;
  /** The checkpoint that all schemes but `ri` read. */
  weights?: WeightFile;
  /** One seed, one draw: see `initialise`. */
  seed: number;
  /**
   * Normalisation layers under stats transfer. 'reset' (default, as the released code): weight 1, bias 0.
   * 'sample': weight and bias drawn as any other. Running mean and variance become 0 and 1 either way,
   * because they describe activations that the new weights do not give.
   */
  norm?: 'reset' | 'sample';
  /**
   * Class token, position embeddings and bias tables under stats transfer. 'sample' (default): drawn like
   * any weight. 'keep': left as pretrained, as the released code does, which carries learnt position
   * structure into ST.
   */
  tokens?: 'sample' | 'keep';
  /** Under `ri`: Kaiming normal for every convolution and linear layer. Default: as each family's authors. */
  kaiming?: boolean;
  /** How a first convolution of three channels serves one. Default 'sum'. */
  firstConvolution?: FirstConvolution;
}

/**
 * How many modules a model has: n + m of WT-ST-n/m. Builds the network to see.
 * @throws RequestError for an unknown model
 */
export function countModules(model: string): number {
  const built = createModel(model, { classes: 1 });
  try {
    return built.groups.length;
  } finally {
    built.dispose();
  }
}

/** The modules whose weights are kept, from the input on. @throws RequestError */
export function countKept(model: ImageModel, { scheme, keep }: TransferSettings): number {
  const modules = model.groups.length;
  if (scheme !== 'wt-st') {
    if (keep === undefined) return scheme === 'wt' ? modules : 0;
    throw new RequestError({
      where: `initialisation of ${model.id}`,
      expected: `no number of modules with ${scheme}`,
      got: `${keep}`,
      hint: 'use wt-st',
    });
  }
  if (keep !== undefined && Number.isInteger(keep) && keep >= 0 && keep <= modules) return keep;
  throw new RequestError({
    where: `initialisation of ${model.id}`,
    expected: `a number of modules from 0 to ${modules} (${model.groups.map(({ name }) => name).join(', ')})`,
    got: `${keep}`,
  });
}

/** The paper's name of a scheme: `WT`, `ST`, `RI`, `WT-ST-2/4`. */
export function schemeLabel(model: ImageModel, settings: TransferSettings): string {
  const kept = countKept(model, settings);
  if (settings.scheme !== 'wt-st') return settings.scheme.toUpperCase();
  return `WT-ST-${kept}/${model.groups.length - kept}`;
}
