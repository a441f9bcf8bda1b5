/** The methods of a study in sentences, from its resolved settings: every setting that matters, none invented. */
import { modelLabel } from '../figures/index.ts';
import type { StudySummary } from '../results/index.ts';
import { counted, listed, whole } from '../util/index.ts';
import { metricName } from './words.ts';

type Settings = Record<string, unknown>;

const asMap = (value: unknown): Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** A value as text: numbers as JavaScript writes them, lists and maps as JSON. */
const shown = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');

/** A paragraph of sentences; those whose settings are not known are left out. */
export interface Paragraph {
  title: string;
  text: string;
}

/** Paragraphs that could go into a paper's section on methods. */
export function methods(summary: StudySummary): Paragraph[] {
  const { settings } = summary;
  const training = asMap(settings.training);
  return [
    { title: 'Data', text: dataText(summary) },
    { title: 'Models and initialisation', text: modelText(summary) },
    { title: 'Training', text: join([...trainingText(training), overridesText(settings)]) },
    { title: 'Images', text: imageText(training) },
    { title: 'Evaluation and statistics', text: statisticsText(summary) },
    { title: 'Analyses', text: analysisText(settings) },
  ].filter(({ text }) => text !== '');
}

const join = (sentences: readonly (string | undefined | false)[]): string =>
  sentences.filter((text) => text).join(' ');

function dataText({ data, settings, source }: StudySummary): string {
  const specs = asMap(settings.data);
  const source_ = asMap(settings.source);
  return join([
    ...data.map(({ name, samples, task, classes, counts, metric, partOf }) => {
      const spec = asMap(specs[name]);
      const facts = [
        ...(samples === undefined ? [] : [`${whole(samples)} images`]),
        ...(classes
          ? [
              counted(
                classes.length,
                task === 'multilabel' ? 'label' : 'class',
                task === 'multilabel' ? 'labels' : 'classes',
              ),
            ]
          : []),
        ...(task === undefined ? [] : [`task ${task}`]),
        ...(spec.kind === undefined ? [] : [`read as ${shown(spec.kind)}`]),
      ];
      const parts = counts
        ? `; ${whole(counts.train)} images to train on, ${whole(counts.val)} for validation and ${whole(counts.test)} to test on`
        : '';
      const part = partOf === undefined ? '' : `, a part of ${partOf}`;
      const judged = metric === undefined ? '' : `; judged by ${metricName(metric)}`;
      return `${name}${part}: ${facts.join(', ')}${parts}${judged}.`;
    }),
    settings.splitSeed !== undefined &&
      `Splits were drawn once with seed ${shown(settings.splitSeed)}, by group where the data names groups and stratified by class where not, unless the data came with a split; all runs share them.`,
    source && sourceText(source, source_),
  ]);
}

function sourceText(
  { name, samples }: { name: string; samples?: number },
  settings: Settings,
): string {
  const train = asMap(settings.train);
  const changes = Object.entries(train).map(([key, value]) => `${key} ${shown(value)}`);
  return join([
    `Source domain: ${name}${samples === undefined ? '' : ` (${whole(samples)} images)`}${settings.data === undefined ? '' : `; the study trained one checkpoint a model on it from random weights${settings.seed === undefined ? '' : ` (seed ${shown(settings.seed)})`}`}.`,
    changes.length > 0 && `For it, ${listed(changes)}; all else as below.`,
  ]);
}

function modelText({ models, axes, settings }: StudySummary): string {
  const options = asMap(settings.initOptions);
  const files = asList(settings.models).flatMap((entry) => {
    const { model, weights } = asMap(entry);
    return typeof model === 'string' && typeof weights === 'string'
      ? [`${model} from ${weights}`]
      : [];
  });
  const sizes = models.map(({ id, parameters }) => {
    const name = modelLabel(id);
    const facts = [
      // The name that settings have.
      ...(name === id ? [] : [id]),
      ...(parameters === undefined ? [] : [`${(parameters / 1e6).toFixed(1)} million parameters`]),
    ];
    return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
  });
  const has = (init: string): boolean => axes.inits.includes(init);
  const partial = axes.inits.some((init) => init.startsWith('WT-ST'));
  return join([
    `Models: ${listed(sizes)}.`,
    files.length > 0 && `Pretrained weights: ${listed(files)}.`,
    has('wt') && 'WT takes every tensor of the backbone from the checkpoint.',
    has('st') &&
      `ST draws every weight and bias of a convolution or linear layer from a normal distribution with the mean and standard deviation of that pretrained tensor${options.norm === 'reset' ? '; normalisation layers are put back to 1 and 0' : options.norm === 'sample' ? ', normalisation layers likewise' : ''}${options.tokens === 'sample' ? '; class tokens, position embeddings and bias tables are drawn like weights' : options.tokens === 'keep' ? '; class tokens, position embeddings and bias tables keep their pretrained values' : ''}.`,
    partial &&
      'WT-ST-n/m keeps the pretrained weights of the first n modules from the input and draws the other m as ST does.',
    has('ri') &&
      (options.kaiming === true
        ? 'RI starts every layer by Kaiming initialisation.'
        : 'RI starts convolutions by Kaiming initialisation (normal, fan-out) and the linear layers of transformers from a truncated normal with σ = 0.02.'),
    'The head is a fresh linear layer in all of them.',
    `Seeds: ${axes.seeds.join(', ')}; a seed fixes the order of images, their random changes, the head and every draw.`,
  ]);
}

function trainingText(training: Settings): (string | undefined | false)[] {
  const { batchSize, optimizer, beta1, beta2, epsilon, weightDecay, learningRate } = training;
  const known = (...keys: string[]): boolean => keys.every((key) => training[key] !== undefined);
  const names: Record<string, string> = {
    auto: 'Adam for convolutional networks and AdamW for vision transformers',
    adam: 'Adam',
    adamw: 'AdamW',
  };
  return [
    known('optimizer', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'batchSize') &&
      `Networks were trained by ${names[String(optimizer)] ?? shown(optimizer)} (β ${shown(beta1)} and ${shown(beta2)}, ε ${shown(epsilon)}, weight decay ${shown(weightDecay)}, none on biases and one-dimensional tensors) in batches of ${shown(batchSize)}, the last partial batch dropped.`,
    known('learningRate', 'warmupIterations') &&
      `The learning rate was ${learningRate === 'auto' ? '1e-4 from pretrained weights or their statistics and 3e-4 from random weights' : shown(learningRate)}, after a linear warm-up over ${shown(training.warmupIterations)} iterations.`,
    training.schedule === 'plateau' &&
      known('reduceFactor', 'patience', 'minLearningRate') &&
      `It was multiplied by ${shown(training.reduceFactor)} when the validation metric had not improved in ${Number(training.patience) + 1} evaluations, down to ${shown(training.minLearningRate)}; training ended when it stalled again there${known('maxEpochs') ? `, or after ${shown(training.maxEpochs)} epochs` : ''}.`,
    training.schedule === 'constant' &&
      `It was not reduced; training ended after ${shown(training.maxEpochs)} epochs.`,
    typeof training.maxIterations === 'number' &&
      `No run went beyond ${training.maxIterations} iterations.`,
    known('evaluationsPerEpoch') &&
      `The validation split was evaluated ${training.evaluationsPerEpoch === 1 ? 'once' : `${shown(training.evaluationsPerEpoch)} times`} an epoch, and the checkpoint with the best metric (the earlier of equals) was kept and tested.`,
    known('clipNorm') &&
      (training.clipNorm === null
        ? 'Gradients were not clipped.'
        : `Gradients were clipped at a norm of ${shown(training.clipNorm)}.`),
    Object.keys(training).length > 0 &&
      'The loss was cross-entropy, for multi-label data binary cross-entropy.',
  ];
}

/** Which runs had other settings. */
function overridesText(settings: Settings): string {
  return asList(settings.overrides)
    .map((entry) => {
      const { training, ...whom } = asMap(entry);
      const runs = Object.values(whom).map((value) => listed([value].flat().map(shown)));
      const changes = Object.entries(asMap(training)).map(
        ([key, value]) => `${key} ${shown(value)}`,
      );
      return changes.length > 0
        ? `For ${runs.length > 0 ? runs.join(', ') : 'all runs'}: ${listed(changes)}.`
        : '';
    })
    .filter((text) => text !== '')
    .join(' ');
}

function imageText(training: Settings): string {
  const { size, resize, normalize, augment, inputChannels } = training;
  if (size === undefined) return '';
  const changes = asMap(augment);
  const changed = Object.entries(changes).map(([key, value]) => `${key} ${shown(value)}`);
  return join([
    `Images were resized to ${resize === 'auto' ? '8/7 of the network’s input size' : `${shown(resize)} pixels a side`} (bilinear, antialiased) and cropped to ${size === 'auto' ? 'the network’s own input size' : `${shown(size)} pixels`}, at random for training and from the centre otherwise.`,
    normalize === 'imagenet'
      ? 'Channels were normalised by the means and deviations of ImageNet.'
      : 'Channels were normalised by the mean and deviation of the training split.',
    inputChannels === 1 && 'Networks had a single input channel.',
    augment === false
      ? 'Training images were not changed at random.'
      : `Training images were changed at random: a resized crop (scale 0.8 to 1, aspect 3/4 to 4/3), flips in both directions, and colour jitter with probability 0.2${changed.length > 0 ? `, but for ${listed(changed)}` : ''}.`,
  ]);
}

function statisticsText({ data, environment }: StudySummary): string {
  const metrics = [...new Set(data.flatMap(({ metric }) => metric ?? []))].map(metricName);
  return join([
    metrics.length > 0 &&
      `Test metrics are ${listed(metrics)}; a metric that is not defined on a split is left out and counted, never filled in.`,
    'Means are given with the sample standard deviation and the 95 % percentile bootstrap interval over seeds (all resamples up to seven seeds, 10,000 drawn ones above).',
    'Differences between initialisations are paired by seed and tested by one-sided permutation of signs, Holm-corrected over data sets and models.',
    environment.precisions.length > 0 &&
      `Networks were computed in ${listed(environment.precisions)}.`,
  ]);
}

const measures: Record<string, string> = {
  knn: 'k-nearest neighbours on the pooled features of every tap (cosine similarity, the training split as the bank)',
  cka: 'linear CKA with the unbiased HSIC estimator over batches of test images, between the initial and the fine-tuned network and between WT and ST',
  l2: 'the ℓ2 distance of each tap’s weights from their initial values, divided by their number',
  reinit:
    're-initialisation robustness: the test metric with one tap put back to its initial state',
  attention: 'the mean attended distance of every attention head over the test images',
  convergence: 'iterations to the best validation metric',
  calibration: 'the expected calibration error on the test split',
  fid: 'the Fréchet distance between the source domain and each data set, once',
};

/** An entry is the name of a measure, or the name with its options. */
function analysisText(settings: Settings): string {
  const named = asList(settings.analyses).flatMap((entry): [string, Settings][] =>
    typeof entry === 'string'
      ? [[entry, {}]]
      : Object.entries(asMap(entry)).map(([name, options]) => [name, asMap(options)]),
  );
  if (named.length === 0) return '';
  const texts = named.map(([name, options]) => {
    const chosen = Object.entries(options).flatMap(([key, value]) =>
      value === null || value === undefined ? [] : [`${key} ${shown(value)}`],
    );
    const detail = chosen.length > 0 ? ` (${chosen.join(', ')})` : '';
    return `${measures[name] ?? name}${detail}`;
  });
  return `Of every finished run, unless said otherwise: ${texts.join('; ')}.`;
}
