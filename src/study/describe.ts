/** The study as a study file that says everything. */
import { stringify } from 'yaml';
import { trainingSchema } from '../results/index.ts';
import type { AnalysisRequest, FidRequest, Study, StudySource } from './study.ts';

/** Every default written out, every path absolute; reading it gives the same study. */
export function describeStudy(study: Study): Record<string, unknown> {
  const { threads: _, ...defaults } = trainingSchema.parse(study.training);
  const [source] = study.sources;
  const analyses = [
    ...study.analyses.map(describeAnalysis),
    ...(study.fid ? [{ fid: describeFid(study.fid) }] : []),
  ];
  return {
    name: study.name,
    ...(study.description === undefined ? {} : { description: study.description }),
    data: study.dataEntries,
    models: study.models,
    inits: study.inits,
    seeds: study.seeds,
    ...(study.sources.length > 1
      ? { sources: study.sources.map(describeSource) }
      : source
        ? { source: describeSource(source) }
        : {}),
    initOptions: study.initOptions,
    training: defaults,
    overrides: study.overrides,
    splitSeed: study.splitSeed,
    analyses,
    variants: study.variants,
    ...(study.learningRateGrid ? { learningRateGrid: study.learningRateGrid } : {}),
    parallel: study.parallel,
    threads: study.threads,
    executor: study.executor,
  };
}

/** The same as YAML. */
export function formatStudy(study: Study): string {
  const header = `# The study as it is run: every default written out. Made from ${study.file}\n`;
  return header + stringify(describeStudy(study), { aliasDuplicateObjects: false });
}

function describeSource({ name, spec, weights, ...settings }: StudySource) {
  return {
    name,
    ...(spec ? { data: spec } : {}),
    ...(Object.keys(weights).length > 0 ? { weights } : {}),
    train: settings.train,
    overrides: settings.overrides,
    seed: settings.seed,
    splitSeed: settings.splitSeed,
  };
}

function describeAnalysis({ measure, options, ...selection }: AnalysisRequest) {
  return { [measure]: { ...options, ...selection } };
}

function describeFid({ extractor, weights, source, data }: FidRequest) {
  return {
    extractor,
    weights,
    ...(source ? { source: 'spec' in source ? source.spec : source.statistics } : {}),
    ...(data ? { data } : {}),
  };
}
