/** `carryover weights`: looks into checkpoint files. */
import type { Command } from 'commander';
import type { MatchReport, WeightListing } from '../../weights/index.ts';
import { type Output, outputOf } from '../output.ts';

interface InspectOptions {
  model?: string;
}

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

export function registerWeights(program: Command): void {
  const weights = program
    .command('weights')
    .description('look into checkpoint files: .safetensors, and PyTorch .pth and .pt')
    .addHelpText(
      'after',
      '\nExample:\n  $ carryover weights inspect resnet50-0676ba61.pth --model resnet50',
    );
  weights
    .command('inspect')
    .description(
      'list the tensors of a checkpoint and, with a model, how they fit it. Nothing in the file is ' +
        'ever run: a pickle that refers to anything but tensors and plain containers is refused.',
    )
    .argument(
      '<file>',
      '.safetensors, or .pth/.pt in the zip format of torch.save (PyTorch 1.6 on)',
    )
    .option('--model <id>', 'the model to compare with, for example resnet50 or deit_small')
    .addHelpText(
      'after',
      '\nA wrapped checkpoint ({"model": …}, {"state_dict": …}, {"model_ema": …}) is unwrapped, and names\n' +
        'are read without module. and backbone. in front. The head needs not fit: it is always fresh.\n' +
        '\nExamples:\n' +
        '  $ carryover weights inspect best.safetensors\n' +
        '  $ carryover weights inspect deit_small_patch16_224-cd65a155.pth --model deit_small --json',
    )
    .action((file: string, options: InspectOptions, command: Command) =>
      inspect(file, options, outputOf(command)),
    );
}

async function inspect(path: string, { model }: InspectOptions, output: Output): Promise<void> {
  const { listWeights } = await import('../../weights/index.ts');
  const listing = await listWeights(path);
  const fit = model === undefined ? undefined : await compare(path, model);
  const { format, metadata } = listing;
  const tensors = [...listing.tensors].map(([name, description]) => ({ name, ...description }));
  showListing(listing, output);
  if (fit) showFit(fit, output);
  output.document({ path, format, metadata, tensors, ...(fit ? { model: fit } : {}) });
}

/** Matches the file with the model, built for as many classes as the file's head has. */
async function compare(path: string, id: string): Promise<Fit> {
  const { createModel } = await import('../../models/index.ts');
  const { findNonFinite, matchWeights, readWeights } = await import('../../weights/index.ts');
  // An unknown model is said before a large file is read.
  const probe = createModel(id, { classes: 1 });
  const file = await readWeights(path);
  const classes = matchWeights(probe, file).wrongShape.find(({ name }) => probe.isHead(name))
    ?.got[0];
  const built = createModel(id, { classes: Math.max(1, classes ?? 1) });
  probe.dispose();
  const { headReplaced, ...report } = matchWeights(built, file);
  const inBackbone = (name: string): boolean => !built.isHead(name);
  const misfits = [...report.missing, ...report.wrongShape.map(({ name }) => name)];
  const nonFinite = findNonFinite(file);
  const fits = !misfits.some(inBackbone) && nonFinite.length === 0;
  built.dispose();
  return { id, ...(headReplaced ? {} : { classes: built.classes }), fits, nonFinite, ...report };
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
