/** Puts a checkpoint's tensors into a model. */
import { type ImageModel, mapCheckpointNames, recogniseCheckpoint } from '../models/index.ts';
import { type DType, noGrad, ops, scope, type Tensor } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { hasNonFinite } from './finite.ts';
import { type MatchOptions, type MatchReport, matchWeights, toModelTensor } from './match.ts';
import { formatShape, type StoredTensor, type WeightFile } from './stored.ts';

export interface LoadOptions extends MatchOptions {
  /** Whether a head that is missing or of another shape is left as the model has it. Default false. */
  allowHeadMismatch?: boolean;
}

/** Some names and how many more there are. */
function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}

function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

/** What the file holds instead, where that can be told. */
function describeContents(model: ImageModel, file: WeightFile): string {
  const shapes = new Map([...file.tensors].map(([name, { shape }]) => [name, shape]));
  const found = recogniseCheckpoint(shapes);
  if (!found) return 'no tensor of it has a name of a network known here';
  if (found.model === model.id) return 'it is otherwise of that model';
  const { description, model: id } = found;
  return `it is of ${id === undefined ? '' : `${id}, `}${description}`;
}

/** @throws WorkError when anything but an allowed head is missing or of another shape. */
function requireFit(
  model: ImageModel,
  file: WeightFile,
  report: MatchReport,
  allowHeadMismatch: boolean,
): void {
  const { path } = file;
  const counts = (name: string): boolean => !(allowHeadMismatch && model.isHead(name));
  const missing = report.missing.filter(counts);
  const wrong = report.wrongShape.filter(({ name }) => counts(name));
  if (missing.length === 0 && wrong.length === 0) return;
  const problems: string[] = [];
  if (missing.length > 0) problems.push(`${missing.length} missing (${nameSome(missing)})`);
  if (wrong.length > 0) {
    const shapes = wrong.map(
      ({ name, expected, got }) => `${name} ${formatShape(got)} for ${formatShape(expected)}`,
    );
    problems.push(`${wrong.length} of another shape (${nameSome(shapes)})`);
  }
  throw new WorkError({
    where: path,
    expected: `the weights of ${model.id}, ${model.state().size} tensors`,
    got: problems.join(' and '),
    hint: `${describeContents(model, file)}: see \`carryover weights inspect ${path} --model ${model.id}\``,
  });
}

/** @throws WorkError for values that are NaN or infinite, and for types that cannot be the tensor's. */
function requireValues(
  path: string,
  chosen: readonly { name: string; target: Tensor; stored: StoredTensor }[],
): void {
  const typed = chosen.find(
    ({ target, stored }) => isFloat(target.dtype) && !isFloat(stored.dtype),
  );
  if (typed) {
    throw new WorkError({
      where: path,
      expected: `floating-point values for ${typed.name}`,
      got: typed.stored.dtype,
      hint: 'quantised weights cannot be used',
    });
  }
  const broken = chosen.filter(({ stored }) => hasNonFinite(stored)).map(({ name }) => name);
  if (broken.length > 0) {
    throw new WorkError({
      where: path,
      expected: 'finite weights',
      got: `NaN or infinity in ${nameSome(broken)}`,
      hint: 'the training that made them diverged, or the file is damaged',
    });
  }
}

/**
 * Copies a checkpoint's tensors into `model`, converted to its types, device and memory layout. All is
 * checked before anything is copied, so that a load that fails leaves the model as it was.
 *
 * A head that does not fit is an error, or, with `allowHeadMismatch`, left alone as a whole: then
 * `headReplaced` is true and the caller initialises it. Tensors of the file that the model does not have
 * are reported and no error, because truncated networks and networks without extra heads are legitimate.
 *
 * @throws WorkError for missing or wrong-shaped tensors, NaN or infinity, integers in place of weights.
 */
export function loadWeights(
  model: ImageModel,
  file: WeightFile,
  options: LoadOptions = {},
): MatchReport {
  const { allowHeadMismatch = false } = options;
  const report = matchWeights(model, file, options);
  requireFit(model, file, report, allowHeadMismatch);
  const { toFile } = mapCheckpointNames(model, file.tensors.keys());
  const state = model.state();
  const chosen = report.matched.flatMap((name) => {
    const target = state.get(name);
    const stored = file.tensors.get(toFile.get(name) ?? '');
    if (!target || !stored || (report.headReplaced && model.isHead(name))) return [];
    return [{ name, target, stored }];
  });
  requireValues(file.path, chosen);
  noGrad(() => {
    for (const { name, target, stored } of chosen) {
      scope(() => ops.copy_(target, toModelTensor(model, name, stored, options)));
    }
    for (const name of report.optional) {
      const target = state.get(name);
      if (target) ops.zero_(target);
    }
  });
  return report;
}
