/**
 * The question answered: what transfer brings, how much of it is feature reuse, which layers carry it, and
 * what to do. Every sentence follows from the numbers by the rules of {@link rules}.
 */
import { initLabel, modelLabel, modelParts } from '../figures/index.ts';
import type { Cell, StudySummary } from '../results/index.ts';
import { counted, decimal, FEWEST_REPEATS, listed, listedFirst, mean } from '../util/index.ts';
import {
  type Certainty,
  certaintyWords,
  type Difference,
  holds,
  LEVEL,
  RECOVERED,
  type ReuseOfGain,
  type Setting,
  settingsOf,
} from './settings.ts';
import { between, metricName, percent, probability, sentence, signed } from './words.ts';

/** A finding about one question, in one sentence or a few, by data set and model where they differ. */
export interface Finding {
  question: string;
  answer: string;
  details: { data: string; model: string; text: string }[];
}

export interface Recommendation {
  data: string;
  text: string;
}

export interface Answer {
  /** The whole in a sentence or two. */
  headline: string;
  findings: Finding[];
  recommendations: Recommendation[];
  /** From how many seeds, and what that allows. */
  sureness: string;
  rules: string[];
}

/**
 * What was found in words; of a study without finished runs, that nothing can be said.
 * @param settings those of the summary
 */
export function answer(
  summary: StudySummary,
  settings: readonly Setting[] = settingsOf(summary),
): Answer {
  return {
    headline: headline(summary, settings),
    findings: [transferFinding(settings), reuseFinding(settings), layerFinding(summary, settings)],
    recommendations: summary.axes.data.map((data) => recommend(summary, settings, data)),
    sureness: sureness(summary),
    rules: rules(),
  };
}

function headline(summary: StudySummary, settings: readonly Setting[]): string {
  const tested = settings.filter(({ transfer }) => transfer.certainty !== 'none');
  const [first] = tested;
  if (summary.rows.length === 0) return 'No run has finished yet: nothing can be said.';
  if (!first) {
    return 'No data set and model has finished runs from pretrained (WT) and from random weights (RI) with the same seed: what transfer brings cannot be said.';
  }
  if (tested.length === 1) return headlineOfOne(first);
  const count = (certainty: Certainty): number =>
    tested.filter(({ transfer }) => transfer.certainty === certainty).length;
  const all = `${tested.length} combinations of data set and model`;
  const few = count('few');
  if (few === tested.length) {
    const ahead = tested.filter(({ transfer }) => (transfer.difference ?? 0) > 0).length;
    return `Pretrained weights scored higher than random ones in ${ahead} of ${all} (${range(tested)}); fewer than ${FEWEST_REPEATS} seeds cannot tell whether that is more than chance.`;
  }
  const [established, likely, worse, chance] = [
    count('established'),
    count('likely'),
    count('reversed'),
    count('chance'),
  ];
  const sure = sureWords(established, likely);
  const parts = [
    ...(sure === '' ? [] : [`helps in ${established + likely} (${sure})`]),
    ...(worse > 0 ? [`likely hurts in ${worse}`] : []),
    ...(chance > 0 ? [`makes no difference beyond chance in ${chance}`] : []),
    ...(few > 0 ? [`has too few seeds to judge in ${few}`] : []),
  ];
  return `Of ${all}, transfer ${listed(parts)}: ${range(tested)}.`;
}

/** `2 established and 1 likely`; nothing where none is. */
function sureWords(established: number, likely: number): string {
  return listed([
    ...(established > 0 ? [`${established} established`] : []),
    ...(likely > 0 ? [`${likely} likely`] : []),
  ]);
}

/** What a study of one data set and model has found. */
function headlineOfOne({ data, model, metric, transfer }: Setting): string {
  const { certainty, difference = 0, interval, pairs } = transfer;
  const way = difference < 0 ? 'lower' : 'higher';
  const found = `on ${data}, ${modelLabel(model)} scores ${decimal(Math.abs(difference))} ${way} in ${metricName(metric)} from pretrained weights than from random ones`;
  const seen = `${between(interval, signed)} over ${counted(pairs, 'seed')}`;
  switch (certainty) {
    case 'established':
      return `Transfer helps, and that is established: ${found}${seen}.`;
    case 'likely':
      return `Transfer likely helps: ${found}${seen}.`;
    case 'reversed':
      return `Transfer likely hurts: ${found}${seen}.`;
    case 'chance':
      return `Transfer makes no difference beyond chance: ${found}${seen}.`;
    default:
      return `${sentence(found)} over ${counted(pairs, 'seed')}: too few to tell whether that is more than chance.`;
  }
}

/** `WT − RI from +0.02 to +0.31 in the metric`: the paired differences of several settings. */
function range(settings: readonly Setting[]): string {
  const differences = settings.flatMap(({ transfer }) => transfer.difference ?? []);
  const [least, most] = [Math.min(...differences), Math.max(...differences)];
  return `WT − RI from ${signed(least)} to ${signed(most)} in the metric`;
}

function transferFinding(settings: readonly Setting[]): Finding {
  const details = settings.map(({ data, model, metric, transfer, speedUp }) => {
    const faster =
      speedUp === undefined
        ? ''
        : ` It reaches RI’s best validation metric in ${decimal(1 / speedUp, 2)} of the iterations that RI takes.`;
    return {
      data,
      model,
      text: `${sentence(describe(transfer, 'WT', 'RI', metric))}.${faster}`,
    };
  });
  return {
    question: 'What does transfer bring?',
    answer: summarise(settings, 'transfer', 'WT', 'RI'),
    details,
  };
}

function reuseFinding(settings: readonly Setting[]): Finding {
  const details = settings.map(({ data, model, metric, reuse, reuseOfGain }) => {
    const ofGain = reuseOfGain
      ? ` Of what WT gains over RI, ${percent(reuseOfGain.share)} goes when features are taken away${between(reuseOfGain.interval, percent)}; the rest comes with the statistics of the weights.`
      : '';
    return { data, model, text: `${sentence(describe(reuse, 'WT', 'ST', metric))}.${ofGain}` };
  });
  const found = settings.flatMap(({ reuseOfGain, reuse }) =>
    reuseOfGain && holds(reuse) ? [reuseOfGain] : [],
  );
  return {
    question: 'How much of it is feature reuse?',
    answer: `${summarise(settings, 'reuse', 'WT', 'ST')}${sharesOf(found, settings.length)}`,
    details,
  };
}

/** How much of the gain is feature reuse, where transfer and reuse both hold up. */
function sharesOf(found: readonly ReuseOfGain[], settings: number): string {
  const [first] = found;
  if (!first) return '';
  const where =
    settings > 1
      ? ' Where transfer and feature reuse both hold up, '
      : ' Of the gain of transfer, ';
  const shares = found.map(({ share }) => share);
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  const more = ' (ST does worse than RI)';
  if (found.length === 1) {
    const all = least > 1 ? `all and more${more}` : percent(least);
    return `${where}${all} is feature reuse${between(first.interval, percent)}.`;
  }
  if (least > 1) return `${where}all of the gain and more is feature reuse${more}.`;
  return most > 1
    ? `${where}${percent(least)} of the gain and up to all of it and more${more} is feature reuse.`
    : `${where}${percent(least)} to ${percent(most)} of the gain is feature reuse.`;
}

/** `WT scores 0.12 higher than ST in macro recall (95 % interval …), established (Holm-corrected p 0.03)`. */
function describe(
  { certainty, difference = 0, interval, pairs, corrected }: Difference,
  better: string,
  than: string,
  metric: string | undefined,
): string {
  if (certainty === 'none') return `${better} and ${than} cannot be compared: no seed has both`;
  const way = difference < 0 ? 'lower' : 'higher';
  const size = `${better} scores ${decimal(Math.abs(difference))} ${way} than ${than} in ${metricName(metric)}${between(interval, signed)}`;
  const found = `${size} over ${counted(pairs, 'seed')}`;
  if (certainty === 'few') return `${found}, too few to say whether that is chance`;
  const p = corrected === undefined ? '' : `Holm-corrected p ${probability(corrected)}`;
  return `${found}: ${certaintyWords[certainty]}${certainty === 'reversed' ? '' : ` (${p})`}`;
}

/** `WT against RI: +0.196 on average (+0.02 to +0.4) over 2 combinations of data set and model. Better in 2 (…).` */
function summarise(
  settings: readonly Setting[],
  which: 'transfer' | 'reuse',
  better: string,
  than: string,
): string {
  const tested = settings.filter((setting) => setting[which].certainty !== 'none');
  const [first] = tested;
  if (!first) return `The study has no runs of ${better} and ${than} to compare.`;
  const difference = tested.flatMap((setting) => setting[which].difference ?? []);
  const claim = `${better} against ${than}: ${signed(mean(difference))}`;
  if (tested.length === 1) {
    const { certainty, interval, pairs } = first[which];
    return `${claim}${between(interval, signed)} over ${counted(pairs, 'seed')}: ${certaintyWords[certainty]}.`;
  }
  const by = (certainty: Certainty): number =>
    tested.filter((setting) => setting[which].certainty === certainty).length;
  const [established, likely] = [by('established'), by('likely')];
  const sure = sureWords(established, likely);
  const parts = [
    ...(sure === '' ? [] : [`better in ${established + likely} (${sure})`]),
    ...(by('chance') > 0 ? [`not beyond chance in ${by('chance')}`] : []),
    ...(by('reversed') > 0 ? [`likely worse in ${by('reversed')}`] : []),
    ...(by('few') > 0 ? [`too few seeds to say in ${by('few')}`] : []),
  ];
  const over = `(${signed(Math.min(...difference))} to ${signed(Math.max(...difference))}) over ${tested.length} combinations of data set and model`;
  return `${claim} on average ${over}. ${sentence(listed(parts))}.`;
}

function layerFinding(summary: StudySummary, settings: readonly Setting[]): Finding {
  const details = settings.flatMap((setting) => {
    const text = layersOf(setting);
    return text === '' ? [] : [{ data: setting.data, model: setting.model, text }];
  });
  const kept = settings.flatMap((setting) => (setting.kept?.isSwept ? [setting.kept] : []));
  const hasSweep = summary.curves.length > 0;
  const shares = kept.map((one) => one.kept / one.modules);
  const answers = [
    kept.length > 0
      ? `${percent(RECOVERED)} of what feature reuse brings is there with the first ${percent(Math.min(...shares))}${shares.length > 1 ? ` to ${percent(Math.max(...shares))}` : ''} of the modules pretrained, by model and data set.`
      : hasSweep
        ? 'Feature reuse is not sure enough in any setting for its layers to be named.'
        : 'The study has no WT-ST-n/m runs, so how many layers are worth keeping cannot be said.',
    costliest(summary, settings),
  ];
  return {
    question: 'Which layers carry it?',
    answer: answers.filter((text) => text !== '').join(' '),
    details,
  };
}

/** Of each model, the tap whose reset costs most, averaged over the data sets that have it. */
function costliest({ axes }: StudySummary, settings: readonly Setting[]): string {
  const named = axes.models.flatMap((model) => {
    const drops = new Map<string, number[]>();
    const own = settings.filter((setting) => setting.model === model);
    for (const { drops: found } of own) {
      for (const { of, value } of found) {
        if (value) drops.set(of, [...(drops.get(of) ?? []), value.mean]);
      }
    }
    const [first] = [...drops]
      .map(([tap, values]) => ({ tap, drop: mean(values) }))
      .sort((a, b) => b.drop - a.drop);
    return first && first.drop > 0
      ? [`${first.tap} of ${modelLabel(model)} (−${decimal(first.drop)})`]
      : [];
  });
  if (named.length === 0) return '';
  const shown = named.slice(0, 4);
  const more = named.length > shown.length ? ' (the others below)' : '';
  return `Putting one layer of a fine-tuned network back to its initial state costs most at ${listed(shown)}${more}.`;
}

function layersOf({ kept, drops, reuse }: Setting): string {
  const parts: string[] = [];
  if (kept?.isSwept) {
    parts.push(
      kept.kept === kept.modules
        ? `All ${kept.modules} modules are needed for ${percent(RECOVERED)} of the gain of WT over ST.`
        : `The first ${kept.kept} of ${kept.modules} modules bring ${percent(RECOVERED)} of the gain of WT over ST.`,
    );
  } else if (kept === undefined && reuse.certainty === 'chance') {
    parts.push('WT and ST do not differ beyond chance, so there is nothing for a layer to carry.');
  }
  const costly = drops.slice(0, 3).filter(({ value }) => (value?.mean ?? 0) > 0);
  if (costly.length > 0) {
    const named = costly.map(({ of, value }) => `${of} (−${decimal(value?.mean ?? 0)})`);
    parts.push(`Putting a layer back costs most at ${listed(named)}.`);
  }
  return parts.join(' ');
}

function recommend(
  summary: StudySummary,
  settings: readonly Setting[],
  data: string,
): Recommendation {
  const own = settings.filter((setting) => setting.data === data);
  const [best, ...others] = summary.table.cells
    .filter((cell) => cell.data === data && cell.metric)
    .sort((a, b) => (b.metric?.mean ?? 0) - (a.metric?.mean ?? 0));
  if (!best) return { data, text: 'No finished run with a defined metric: no answer.' };
  const setting = own.find(({ model }) => model === best.model);
  return {
    data,
    text: [
      shouldTransfer(own),
      whichModel(best, others, summary),
      setting ? howMany(setting, summary) : '',
    ].join(' '),
  };
}

function shouldTransfer(own: readonly Setting[]): string {
  const of = (...certainties: Certainty[]): string[] =>
    own
      .filter(({ transfer }) => certainties.includes(transfer.certainty))
      .map(({ model }) => modelLabel(model));
  const [yes, no, chance, few] = [
    of('established', 'likely'),
    of('reversed'),
    of('chance'),
    of('few'),
  ];
  const established = of('established').length;
  if (yes.length + no.length + chance.length + few.length === 0) {
    return 'Whether to transfer cannot be said: there are no runs of WT and RI with the same seed.';
  }
  const parts: string[] = [];
  if (yes.length > 0) {
    const sure =
      established === yes.length
        ? 'established'
        : established === 0
          ? 'likely better than random weights, not established'
          : `${established} of them established, the others likely`;
    parts.push(`Transfer, with ${these(yes, own.length)}: ${sure}.`);
  }
  if (chance.length > 0) {
    const faster = own.filter(
      ({ transfer, speedUp }) => transfer.certainty === 'chance' && (speedUp ?? 0) > 1.2,
    );
    const time =
      faster.length > 0
        ? ` It still saves iterations with ${listed(faster.map(({ model }) => modelLabel(model)))}.`
        : '';
    parts.push(`With ${these(chance, own.length)} transfer brings nothing beyond chance.${time}`);
  }
  if (no.length > 0)
    parts.push(`Do not transfer with ${these(no, own.length)}: random weights did better.`);
  if (few.length > 0) {
    parts.push(
      `With ${these(few, own.length)} the data does not allow an answer: run at least ${FEWEST_REPEATS} seeds, better 5 or more.`,
    );
  }
  return parts.join(' ');
}

/** Models by name; all of several as such. */
function these(models: readonly string[], of: number): string {
  return models.length === of && of > 3 ? `all ${of} models` : listed(models);
}

/**
 * The best mean, and what cannot be told apart from it: overlapping intervals, or too few runs.
 * @param others the other settings, the best first
 */
function whichModel(best: Cell, others: readonly Cell[], { source }: StudySummary): string {
  const { metric, metricInterval, model, init } = best;
  // Of several sources, the model's name has its own.
  const isNamed = modelParts(model).source !== undefined;
  const from = init === 'ri' || !source || isNamed ? '' : ` from ${source.name}`;
  const found = `The best mean is that of ${nameOf(best)}${from}, ${decimal(metric?.mean ?? 0)}${between(metricInterval)} over ${counted(metric?.count ?? 0, 'run')}`;
  if (!metricInterval) return `${found}; there are too few runs to set it apart from the others.`;
  const rivals = others.filter(
    (cell) => cell.metricInterval && cell.metricInterval.high >= metricInterval.low,
  );
  const unknown = others.filter((cell) => !cell.metricInterval);
  const parts = [
    rivals.length > 0
      ? `its interval overlaps with ${rivals.length === 1 ? 'that' : 'those'} of ${namesOf(rivals)}`
      : '',
    unknown.length > 0 ? `${namesOf(unknown)} have too few runs to compare` : '',
  ].filter((part) => part !== '');
  if (parts.length === 0) return `${found}, its interval above all others’.`;
  return `${[found, ...parts].join('; ')}.`;
}

const nameOf = ({ model, init }: Cell): string => `${modelLabel(model)} ${initLabel(init)}`;

/** Settings by name, the first few of many. */
const namesOf = (cells: readonly Cell[]): string => listedFirst(cells.map(nameOf), 4);

function howMany({ model, kept, reuse }: Setting, { curves }: StudySummary): string {
  const name = modelLabel(model);
  if (kept?.isSwept) {
    const share = `${kept.kept} of ${kept.modules} modules of ${name}`;
    return kept.kept === kept.modules
      ? `Keep all ${kept.modules} modules of ${name}: fewer lose more than ${percent(1 - RECOVERED)} of what feature reuse brings.`
      : `Worth keeping: the first ${share}; the others may as well start from statistics.`;
  }
  const swept = curves.some((curve) => curve.model === model);
  if (!swept) {
    return `How many layers of ${name} are worth keeping takes WT-ST-n/m runs, which the study has not (inits: wt-st).`;
  }
  return reuse.certainty === 'chance'
    ? `As ${name} from WT and from ST do not differ beyond chance, no layer is shown to be worth keeping.`
    : `How many layers of ${name} are worth keeping cannot be said from these runs.`;
}

function sureness({ axes, comparisons }: StudySummary): string {
  const seeds = axes.seeds.length;
  const tests = Math.max(
    0,
    ...[...new Set(comparisons.map(({ better, than }) => `${better} ${than}`))].map(
      (claim) =>
        comparisons.filter(
          ({ better, than, test }) => `${better} ${than}` === claim && test !== undefined,
        ).length,
    ),
  );
  const least = Math.min(1, tests / 2 ** seeds);
  const reach =
    tests === 0
      ? ''
      : ` With ${counted(seeds, 'seed')} and ${counted(tests, 'comparison')} of each kind, the least corrected p that the test can give is ${probability(least)}${least >= LEVEL ? `: nothing can be established at ${LEVEL}, whatever the differences; intervals and the agreement of seeds are all there is` : ''}.`;
  return `From ${counted(seeds, 'seed')} of each data set, model and initialisation.${reach}`;
}

function rules(): string[] {
  return [
    `A difference is the mean over seeds that both sides have, with the 95 % bootstrap interval over those seeds (from ${FEWEST_REPEATS} seeds on).`,
    `“Established”: a one-sided paired permutation test gives p < ${LEVEL} after Holm’s correction over all data sets and models. “Likely”: the interval leaves out 0, but p is not below ${LEVEL}. “Likely worse”: the interval lies below 0. “Not beyond chance”: it has 0 in it. Fewer than ${FEWEST_REPEATS} seeds allow none of these.`,
    'Transfer is recommended for a model where WT is better than RI, established or likely.',
    'Feature reuse of a gain is (WT − ST)/(WT − RI) over seeds that have all three, where WT is better than RI.',
    `The modules worth keeping are the fewest n for which WT-ST-n/m has ${percent(RECOVERED)} of WT − ST on the means, where WT is better than ST; they are the same n that the curve shows, not a test of its own.`,
    'Models are ranked by the mean test metric; those whose intervals overlap with the best are named as not told apart.',
  ];
}
