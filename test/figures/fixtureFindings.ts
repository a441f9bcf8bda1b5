/** What the analyses of a synthetic study found: numbers that follow the paper's trends. */
import type { AnalysisRow } from '../../src/results/index.ts';
import { RandomStream } from '../../src/util/index.ts';
import type { FixtureModel } from './fixtureModels.ts';

export interface FindingSetting {
  data: string;
  model: FixtureModel;
  /** Share of modules that keep their weights; absent for RI. */
  fraction?: number;
  init: string;
  /** Test metric of the runs, as trained. */
  metric: number;
  /** Metric of guessing. */
  chance: number;
  /** Gain that reuse brings here, 0 to 1. */
  reuse: number;
  seeds: number;
  /** Whether CKA was taken. */
  cka: boolean;
}

type Add = (measure: string, of: string, detail: string, value: number | undefined) => void;

/** Every finding of the runs of one setting. */
export function settingFindings(setting: FindingSetting): AnalysisRow[] {
  const rows: AnalysisRow[] = [];
  const add = collector(rows, setting, setting.init);
  addKnn(setting, add);
  if (setting.cka) addCka(setting, add);
  addDrift(setting, add);
  addReinit(setting, add);
  if (setting.model.heads > 0) addAttention(setting, add);
  add('convergence', 'iterations to best', '', 900 + 4000 * (1 - (setting.fraction ?? 0)));
  add('calibration', 'expected error', '', 0.04 + 0.05 * (1 - setting.metric));
  return rows;
}

/** CKA of the WT runs against the ST runs of the same seed. */
export function pairFindings(setting: FindingSetting): AnalysisRow[] {
  const rows: AnalysisRow[] = [];
  const add = collector(rows, setting, 'wt against st');
  const { model } = setting;
  // A CNN learns alike from both; the early layers of a ViT from statistics do what its middle ones do.
  const reach = { cnn: 0, hybrid: 0.25, vit: 0.5 }[model.family];
  for (const tokens of tokensOf(model)) {
    addMatrix(add, `cka best${tokens.suffix}`, tokensTaps(model, tokens.suffix), (own, other) => {
      const place = other + reach * Math.sin(Math.PI * Math.min(1, other * 1.2)) * 0.7;
      return 0.9 * Math.exp(-3 * Math.abs(own - place)) * (1 - 0.4 * own * tokens.change);
    });
  }
  return rows;
}

/** Value over seeds: a spread of the size that real runs have, fewer runs where it is undefined in some. */
function collector(rows: AnalysisRow[], { data, model, seeds }: FindingSetting, init: string): Add {
  const stream = new RandomStream('findings', data, model.id, init);
  return (measure, of, detail, value) => {
    const row = { data, model: model.id, init, measure, of, detail };
    if (value === undefined) {
      rows.push({ ...row, undefinedRuns: seeds });
      return;
    }
    const isExact =
      (measure.startsWith('cka') && value === 1) || measure === 'attention of all alike';
    const deviation = isExact ? 0 : Math.abs(value) * (0.01 + 0.02 * stream.next());
    const shift = deviation * (2 * stream.next() - 1) * 0.5;
    // CKA is 1 with itself, and never more.
    const mean = measure.startsWith('cka') ? Math.min(1, value + shift) : value + shift;
    const undefinedRuns = stream.next() < 0.002 ? 1 : 0;
    const count = seeds - undefinedRuns;
    const half = (1.96 * deviation) / Math.sqrt(count);
    rows.push({
      ...row,
      value: {
        mean,
        count,
        ...(count > 1 ? { deviation } : {}),
        ...(count > 2 ? { interval: { low: mean - half, high: mean + half } } : {}),
      },
      undefinedRuns,
    });
  };
}

/** Depth of a tap in its network, 0 to 1. */
function depthOf(taps: readonly string[], at: number): number {
  return taps.length > 1 ? at / (taps.length - 1) : 0;
}

function addKnn(setting: FindingSetting, add: Add): void {
  const { model, fraction = 0, metric, chance, data, init } = setting;
  model.taps.forEach((tap, at) => {
    const depth = depthOf(model.taps, at);
    const rise =
      model.family === 'cnn'
        ? depth ** 0.8
        : 1 - Math.exp(-depth * (3 + 6 * Math.min(1, fraction * 2)));
    const zigzag = model.family === 'cnn' ? 0 : (tap.endsWith('.attn') ? 1 : -1) * 0.012;
    const kinds =
      model.hasClassToken && tap !== 'patch_embed' ? ['both', 'cls', 'spatial'] : ['spatial'];
    // The class token says nothing yet where the first block has statistics alone.
    const isConstant = data === 'chexpert' && init === 'st' && tap === 'blocks.0.attn';
    for (const kind of kinds) {
      const side = { both: 0, cls: 0.006, spatial: -0.008 }[kind] ?? 0;
      const level = chance + 0.1 * (metric - chance);
      const value = level + rise * (metric - 0.02 - level) + zigzag + side;
      add('knn', tap, kind, isConstant && kind === 'cls' ? undefined : value);
      add('probe', tap, kind, isConstant && kind === 'cls' ? undefined : value + 0.02 * rise);
    }
  });
}

function tokensOf(model: FixtureModel): { suffix: string; change: number }[] {
  const all = { suffix: '', change: 1 };
  if (!model.hasClassToken) return [all];
  return [all, { suffix: ' cls', change: 1.8 }, { suffix: ' spatial', change: 0.8 }];
}

/** The first tap has no class token yet. */
function tokensTaps(model: FixtureModel, suffix: string): string[] {
  return suffix === ' cls' ? model.taps.slice(1) : model.taps;
}

function addCka(setting: FindingSetting, add: Add): void {
  const { model, fraction, init, reuse, data } = setting;
  // How much of the start is still there at a depth after training.
  const kept = (depth: number): number => {
    if (fraction === undefined) return 0.35 * (1 - depth);
    const stays = model.family === 'cnn' ? 0.92 - 0.35 * depth ** 4 : 0.97 - 0.75 * depth ** 2;
    return depth <= fraction ? stays * (0.75 + 0.25 * reuse) : 0.45 * stays * (1 - depth);
  };
  const width = model.family === 'cnn' ? 2.2 : 3.5;
  // A ReLU network from random weights whose first tap says the same of every image.
  const constant = data === 'ddsm' && init === 'ri' && model.family === 'cnn';
  for (const { suffix, change } of tokensOf(model)) {
    const taps = tokensTaps(model, suffix);
    const near = (own: number, other: number): number => Math.exp(-width * Math.abs(own - other));
    addMatrix(
      add,
      `cka initial/best${suffix}`,
      taps,
      (own, other) => near(own, other) * kept(other) ** change,
      constant,
    );
    for (const side of ['initial', 'best']) {
      addMatrix(add, `cka ${side}/${side}${suffix}`, taps, near, constant);
    }
  }
}

function addMatrix(
  add: Add,
  measure: string,
  taps: readonly string[],
  value: (own: number, other: number) => number,
  firstIsConstant = false,
): void {
  taps.forEach((tap, at) => {
    taps.forEach((other, second) => {
      const isUndefined = firstIsConstant && (at === 0 || second === 0);
      const found = value(depthOf(taps, at), depthOf(taps, second));
      add(measure, tap, other, isUndefined ? undefined : found);
    });
  });
}

function addDrift({ model, fraction, reuse }: FindingSetting, add: Add): void {
  model.taps.forEach((tap, at) => {
    const depth = depthOf(model.taps, at);
    const isKept = fraction !== undefined && depth < fraction;
    const isFirst = at === 0 || /^layer\d\.0$|\.0\.attn$|Mixed_\da$/.test(tap);
    const size = model.family === 'cnn' ? 1.2e-6 : 4e-6;
    const base = size * (at === 0 ? 6 : isFirst ? 2 : 1) * (1 + 0.4 * depth);
    add('l2', tap, '', base * (isKept ? 1 - 0.6 * reuse : 1.6 - 0.5 * (fraction ?? 0)));
  });
}

function addReinit({ model, fraction, metric, chance, reuse }: FindingSetting, add: Add): void {
  model.taps.forEach((tap, at) => {
    const depth = depthOf(model.taps, at);
    const edge = fraction ?? 0;
    const atTransition = edge < 1 ? Math.exp(-(((depth - edge) / 0.06) ** 2)) : 0;
    const atEnd = model.family === 'cnn' ? depth ** 6 : 0.1 * depth ** 6;
    const critical = /^layer\d\.0$/.test(tap) ? 0.25 : 0;
    const share = Math.min(
      1,
      0.03 + 0.8 * atTransition + (0.6 * atEnd + critical) * (1 - 0.5 * edge * reuse),
    );
    const drop = share * (metric - chance);
    add('reinit', tap, 'metric', metric - drop);
    add('reinit', tap, 'drop', drop);
  });
}

function addAttention({ model, fraction, reuse }: FindingSetting, add: Add): void {
  const uniform = model.id === 'deit_micro' ? 33.35 : 116.81;
  const layers = model.taps.filter((tap) => tap.endsWith('.attn'));
  add('attention of all alike', 'all taps', '', uniform);
  layers.forEach((tap, at) => {
    const depth = depthOf(layers, at);
    const isKept = fraction !== undefined && depth < fraction;
    const found = Array.from({ length: model.heads }, (_, head) => {
      const rank = model.heads > 1 ? head / (model.heads - 1) : 1;
      const local = isKept ? (0.65 * (1 - rank) * (1 - depth) + 0.05) * (0.6 + 0.4 * reuse) : 0.04;
      return uniform * (1 - local);
    });
    add('attention', tap, 'mean', found.reduce((sum, value) => sum + value, 0) / found.length);
    for (const [head, value] of found.entries()) add('attention', tap, `head ${head + 1}`, value);
  });
}
