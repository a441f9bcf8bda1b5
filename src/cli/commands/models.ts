/** `carryover models`: the architectures, and of one of them its modules and taps. */
import type { Command } from 'commander';
import type { EmbeddingKind, ImageModel, Tap } from '../../models/index.ts';
import { type Output, outputOf } from '../output.ts';

/** The head that parameters are counted with: ImageNet's, as publications count them. */
const CLASSES = 1000;

/** What can be said of a model in one row. */
interface ModelOverview {
  id: string;
  family: 'cnn' | 'vit';
  /** Trainable numbers with 1,000 classes and three channels. */
  parameters: number;
  /** Height and width of the images in pixels, unless the user says otherwise. */
  imageSize: number;
  /** m of WT-ST-n/m counts down from this. */
  modules: number;
  taps: number;
  /** Families of published checkpoints that load as they are. */
  checkpoints: readonly string[];
  /** Official ImageNet files that `carryover weights fetch` gets, the default first. */
  officialWeights: { name: string; publisher: string; url: string }[];
}

interface ModelDetails extends Omit<ModelOverview, 'modules' | 'taps'> {
  /** In the order in which WT-ST-n/m counts them, from the input. */
  modules: { name: string; parameters: number }[];
  taps: { name: string; kind: Tap['kind']; embeddings: readonly EmbeddingKind[] }[];
}

export function registerModels(program: Command): void {
  program
    .command('models')
    .description('the networks: parameters, input, modules, taps, and whose checkpoints they read')
    .argument('[model]', 'one of them, with its modules and taps by name')
    .addHelpText(
      'after',
      '\nModules are what weights transfer by: wt-st-3 keeps the weights of the first three. Taps are where\n' +
        'features are read. Parameters are those of a head for 1,000 classes. Checkpoints: whose files load\n' +
        'as they are; fetch: carryover weights fetch gets the official one.\n' +
        '\nExamples:\n  $ carryover models\n  $ carryover models deit_small:5 --json',
    )
    .action((id: string | undefined, _options: unknown, command: Command) =>
      id === undefined ? list(outputOf(command)) : show(id, outputOf(command)),
    );
}

/** The heavy code, once it is needed: modules and taps are known from the networks themselves. */
const loadModels = () => import('../../models/index.ts');
const loadWeights = () => import('../../weights/index.ts');

async function list(output: Output): Promise<void> {
  const { modelIds } = await loadModels();
  const models: ModelOverview[] = [];
  for (const id of modelIds()) {
    const { modules, taps, ...rest } = await examine(id);
    models.push({ ...rest, modules: modules.length, taps: taps.length });
  }
  output.table({
    columns: ['model', 'parameters', 'input', 'modules', 'taps', 'checkpoints', 'fetch'],
    rows: models.map(
      ({ id, parameters, imageSize, modules, taps, checkpoints, officialWeights }) => [
        id,
        grouped(parameters),
        `${imageSize} px`,
        modules,
        taps,
        checkpointText(checkpoints),
        officialWeights.length > 0 ? 'yes' : '',
      ],
    ),
  });
  output.document({ models });
}

async function show(id: string, output: Output): Promise<void> {
  const model = await examine(id);
  const { parameters, imageSize, checkpoints, officialWeights, modules, taps } = model;
  output.line(`${id}: ${grouped(parameters)} parameters, images of ${imageSize} px`);
  output.line(`checkpoints: ${checkpointText(checkpoints)}`);
  for (const { name, url } of officialWeights) {
    output.line(`official weights: carryover weights fetch ${name}, from ${url}`);
  }
  output.line();
  output.table({
    columns: ['n', 'module', 'parameters'],
    rows: modules.map(({ name, parameters: own }, index) => [index + 1, name, grouped(own)]),
  });
  output.line();
  output.table({
    columns: ['', 'tap', 'features', 'embeddings'],
    rows: taps.map(({ name, kind, embeddings }, index) => [
      index + 1,
      name,
      kind === 'spatial' ? 'channels × pixels' : 'tokens',
      embeddings.join(', '),
    ]),
  });
  output.document(model);
}

/** Builds the network to see what it has, and lets it go. @throws RequestError for an unknown id. */
async function examine(id: string): Promise<ModelDetails> {
  const { createModel, describeModel } = await loadModels();
  const { sourceName, weightSources } = await loadWeights();
  const { family, imageSize, checkpoints } = describeModel(id);
  const whole = id.split(':')[0];
  const officialWeights = weightSources()
    .filter((source) => source.model === whole)
    .map((source) => ({ name: sourceName(source), publisher: source.publisher, url: source.url }));
  const model = createModel(id, { classes: CLASSES });
  try {
    return {
      id,
      family,
      parameters: countParameters(model, () => true),
      imageSize,
      checkpoints,
      officialWeights,
      modules: model.groups.map((group) => ({
        name: group.name,
        parameters: countParameters(model, (name) => model.groupOf(name) === group),
      })),
      taps: model.taps.map(({ name, kind }) => ({
        name,
        kind,
        embeddings: model.embeddingKinds(name),
      })),
    };
  } finally {
    model.dispose();
  }
}

function countParameters(model: ImageModel, isCounted: (name: string) => boolean): number {
  return [...model.namedParameters()].reduce(
    (sum, [name, { elementCount }]) => sum + (isCounted(name) ? elementCount : 0),
    0,
  );
}

const grouped = (count: number): string => count.toLocaleString('en-US');

function checkpointText(families: readonly string[]): string {
  return families.length > 0 ? families.join(', ') : 'carryover’s own';
}
