/** Names as figures and tables print them, and the order of models by inductive bias. */

const modelTitles: Record<string, string> = {
  deit_tiny: 'DeiT-T',
  deit_small: 'DeiT-S',
  deit_base: 'DeiT-B',
  deit_micro: 'DeiT micro',
  swin_tiny: 'Swin-T',
  swin_micro: 'Swin micro',
  inception_v3: 'InceptionV3',
  resnet18: 'ResNet18',
  resnet50: 'ResNet50',
  resnet152: 'ResNet152',
  resnet18_micro: 'ResNet18 micro',
};

/** Parts of what tables call a model: `deit_small:5 from natural` is deit_small, 5, natural. */
export function modelParts(id: string): { name: string; depth?: string; source?: string } {
  const [, whole = id, source] = /^(.*?) from (.*)$/.exec(id) ?? [];
  const [name = whole, depth] = whole.split(':');
  return { name, depth, source };
}

/**
 * `DeiT-S` for `deit_small`, `DeiT-S-5b` for `deit_small:5`, `ResNet50 from natural` where a study has several
 * sources; an id that is not known as it is.
 */
export function modelLabel(id: string): string {
  const { name, depth, source } = modelParts(id);
  const title = modelTitles[name] ?? name;
  return `${title}${depth === undefined ? '' : `-${depth}b`}${source === undefined ? '' : ` from ${source}`}`;
}

/** `WT`, `ST`, `RI`, `WT-ST-2/4`. */
export function initLabel(init: string): string {
  return init.toUpperCase();
}

const metricTitles: Record<string, string> = { kappa: 'κ', recall: 'macro recall', auc: 'ROC-AUC' };

/** The name of a metric on an axis; `metric` where it is not known. */
export function metricLabel(metric: string | undefined): string {
  return metric === undefined ? 'metric' : (metricTitles[metric] ?? metric);
}

/** Families in order of increasing inductive bias (section 2 of the paper). */
const families = ['deit', 'swin', 'inception', 'resnet'] as const;

const familyTitles: Record<string, string> = {
  deit: 'DeiT',
  swin: 'Swin',
  inception: 'Inception',
  resnet: 'ResNet',
};

/** `deit` of `deit_small:5`; the id itself for a family that is not known. */
export function familyOf(model: string): string {
  return families.find((family) => model.startsWith(family)) ?? model;
}

export function familyLabel(family: string): string {
  return familyTitles[family] ?? family;
}

/** Models in order of increasing inductive bias, families that are not known last; else as given. */
export function byInductiveBias(models: readonly string[]): string[] {
  const rank = (model: string): number => {
    const at = families.findIndex((family) => model.startsWith(family));
    return at < 0 ? families.length : at;
  };
  return [...models].sort((a, b) => rank(a) - rank(b));
}
