/** `carryover weights inspect`: what a checkpoint holds, whose it is, and how it fits a model. */
import type { RecognisedCheckpoint } from '../../models/index.ts';
import type { MatchReport, WeightListing } from '../../weights/index.ts';
import type { Output } from '../output.ts';

/** How a checkpoint fits a model, for people and for `--json`. */
interface Fit extends Omit<MatchReport, 'headReplaced'> {
  id: string;
  /** Outputs of the file's head; absent where it has none that the model could take. */
  classes?: number;
  /** Whether the whole backbone is there, in the right shapes and finite: what transfer needs. */
  fits: boolean;
  /** Tensors with NaN or infinity, by the file's names. */
  nonFinite: string[];
}

/**
 * Prints what is in a checkpoint: the file at a path, or a published one by its name.
 * @param model the model to compare with; by default what the names and shapes are found to be of
 */
export async function inspect(
  given: string,
  model: string | undefined,
  output: Output,
): Promise<void> {
  const { recogniseCheckpoint } = await import('../../models/index.ts');
  const { listWeights, resolveWeights } = await import('../../weights/index.ts');
  const path = resolveWeights(given, model ?? given, (file) => file);
  const listing = await listWeights(path);
  const shapes = new Map([...listing.tensors].map(([name, { shape }]) => [name, shape]));
  const recognised = recogniseCheckpoint(shapes);
  const id = model ?? recognised?.model;
  const fit = id === undefined ? undefined : await compare(path, id, recognised);
  const { format, metadata } = listing;
  const tensors = [...listing.tensors].map(([name, description]) => ({ name, ...description }));
  showListing(listing, output);
  showRecognised(recognised, output);
  if (fit) showFit(fit, output);
  output.document({
    path,
    format,
    metadata,
    recognised: recognised ?? null,
    tensors,
    ...(fit ? { model: fit } : {}),
  });
}

/** Matches the file with the model, built for the classes, channels and image size that the file is for. */
async function compare(
  path: string,
  id: string,
  recognised: RecognisedCheckpoint | undefined,
): Promise<Fit> {
  const { createModel, describeModel } = await import('../../models/index.ts');
  const { findNonFinite, matchWeights, readWeights } = await import('../../weights/index.ts');
  // An unknown model is said before a large file is read.
  describeModel(id);
  const [base] = id.split(':');
  const isSame = recognised?.model?.split(':')[0] === base;
  const { inputChannels, imageSize } = isSame && recognised ? recognised : {};
  const model = createModel(id, {
    classes: Math.max(1, recognised?.classes ?? 1),
    ...(inputChannels === 1 ? { inputChannels } : {}),
    ...(imageSize === undefined ? {} : { imageSize }),
  });
  try {
    const file = await readWeights(path);
    const { headReplaced, ...report } = matchWeights(model, file);
    const misfits = [...report.missing, ...report.wrongShape.map(({ name }) => name)];
    const nonFinite = findNonFinite(file);
    const fits = misfits.every((name) => model.isHead(name)) && nonFinite.length === 0;
    return { id, ...(headReplaced ? {} : { classes: model.classes }), fits, nonFinite, ...report };
  } finally {
    model.dispose();
  }
}

/** Text of a file as a terminal may show it: control characters escaped, and not endless. */
function printable(text: string): string {
  const short = text.length > 120 ? `${text.slice(0, 117)}…` : text;
  return short.replaceAll(/\p{C}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

function showListing({ format, tensors, metadata }: WeightListing, output: Output): void {
  const rows = [...tensors].map(([name, { dtype, shape }]) => [
    printable(name),
    dtype,
    `[${shape.join(', ')}]`,
  ]);
  output.table({ columns: ['name', 'dtype', 'shape'], rows });
  const numbers = [...tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  output.line();
  output.line(`${tensors.size} tensors, ${numbers.toLocaleString('en')} numbers, ${format}`);
  for (const [name, value] of Object.entries(metadata)) {
    output.line(`${printable(name)}: ${printable(value)}`);
  }
}

function showRecognised(recognised: RecognisedCheckpoint | undefined, output: Output): void {
  if (!recognised) {
    output.line('family: none that is known here');
    return;
  }
  const { family, prefix, description, model, imageSize, inputChannels } = recognised;
  output.line(`family: ${family}${prefix ? `, under "${printable(prefix)}"` : ''}`);
  const details = [
    ...(imageSize === undefined ? [] : [`for images of ${imageSize} px`]),
    ...(inputChannels === 1 ? ['of one channel'] : []),
  ];
  output.line(`network: ${[description, ...details].join(', ')}`);
  output.line(`model: ${model ?? 'none that is registered here'}`);
}

function showFit(fit: Fit, output: Output): void {
  const shapes = (list: MatchReport['wrongShape']): string[] =>
    list.map(
      ({ name, expected, got }) =>
        `${name}  [${got.join(', ')}] in the file, [${expected.join(', ')}] in the model`,
    );
  const sections: [title: string, lines: string[]][] = [
    ['missing', fit.missing],
    ['wrong shape', shapes(fit.wrongShape)],
    ['NaN or infinity', fit.nonFinite],
    ['unexpected', fit.unexpected],
    ['ignored', fit.ignored.map(({ name, reason }) => `${name}  ${reason}`)],
    ['adapted', shapes(fit.adapted)],
    ['absent, starts at 0', fit.optional],
  ];
  output.line();
  output.line(`against ${fit.id}: ${fit.matched.length} matched`);
  for (const [title, lines] of sections) {
    if (lines.length === 0) continue;
    output.line(`${title}: ${lines.length}`);
    for (const line of lines) output.line(`  ${printable(line)}`);
  }
  output.line(
    fit.classes === undefined
      ? 'head: none that fits (transfer makes a fresh one anyway)'
      : `head: ${fit.classes} classes (transfer makes a fresh one anyway)`,
  );
  output.line(fit.fits ? `fits ${fit.id}` : `does not fit ${fit.id}`);
}
