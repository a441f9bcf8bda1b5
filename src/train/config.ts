/** A run's configuration from what a user gave: a file, options, `--set key=value`. */
import { isAbsolute, resolve } from 'node:path';
import { parseAugment, parseDataSpec } from '../data/index.ts';
import {
  keepModules,
  knownKeys,
  parseInit,
  parseSetting,
  type RunConfig,
  runConfigSchema,
  validate,
} from '../results/index.ts';
import { countModules } from '../transfer/index.ts';
import { nearestNames, RequestError } from '../util/index.ts';
import { resolveWeights } from '../weights/index.ts';
import { withInit } from './initEntry.ts';
import { resolveSizes } from './resolve.ts';

/** A configuration before it is checked. */
export type RawConfig = Record<string, unknown>;

/**
 * `config` with settings of the form `key=value` applied in order. A key is a dotted path from the
 * root (`training.patience`, `initOptions.norm`, `seed`); a name of the training settings may stand
 * alone (`patience`). Values are YAML: `5`, `1e-4`, `true`, `null`, `[0.8, 1.0]`, words.
 * @throws RequestError for a setting without `=`, or an unknown key, with the nearest known ones.
 */
export function applySettings(config: RawConfig, settings: readonly string[]): RawConfig {
  const result = structuredClone(config);
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    if (equals <= 0) {
      throw new RequestError({
        where: `--set ${setting}`,
        expected: 'key=value',
        got: equals === 0 ? 'no key' : 'no "="',
        hint: 'for example --set training.maxEpochs=20',
      });
    }
    const path = settingPath(setting.slice(0, equals).trim());
    assign(result, path, parseSetting(setting, setting.slice(equals + 1)), setting);
  }
  return result;
}

/**
 * Checks a configuration and makes its paths absolute, so that a run goes on from any folder.
 * @param where what is being checked, for errors. @param base the folder that relative paths start from.
 * @throws RequestError that names the key at fault.
 */
export function parseRunConfig(
  raw: unknown,
  { where, base = process.cwd() }: { where: string; base?: string },
): RunConfig {
  const place = { where: `${where}: data`, base };
  const config = validate(runConfigSchema, withInit(withDataEntry(raw, place), where), { where });
  resolveSizes(config);
  parseAugment(config.training.augment, `${where}: training.augment`);
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(base, path));
  if (config.init !== 'ri' && config.weights === undefined) {
    throw new RequestError({
      where: `${where}: weights`,
      expected: `a checkpoint for init "${config.init}"`,
      got: 'none',
      hint: 'name a .safetensors or .pth file with --weights, or use --init ri',
    });
  }
  return {
    ...config,
    init: resolveInit(config, where),
    data: parseDataSpec(config.data, place),
    ...(config.splitsFile === undefined ? {} : { splitsFile: absolute(config.splitsFile) }),
    ...(config.weights === undefined
      ? {}
      : { weights: resolveWeights(config.weights, config.model, absolute) }),
  };
}

/** The initialisation, `wt-st-n` of no module or all by its other name. @throws RequestError for more. */
function resolveInit({ model, init }: RunConfig, where: string): RunConfig['init'] {
  const { keep } = parseInit(init);
  if (keep === undefined) return init;
  const modules = countModules(model);
  if (keep <= modules) return keepModules(keep, modules);
  throw new RequestError({
    where: `${where}: init`,
    expected: `wt-st-0 to wt-st-${modules}, the modules of ${model}`,
    got: init,
    hint: `carryover models ${model} lists them`,
  });
}

/** The configuration with its data set as an entry, where it was written as `kind:path`. */
function withDataEntry(raw: unknown, place: { where: string; base: string }): unknown {
  if (typeof raw !== 'object' || raw === null || !('data' in raw)) return raw;
  return typeof raw.data === 'string' ? { ...raw, data: parseDataSpec(raw.data, place) } : raw;
}

function settingPath(key: string): string[] {
  const path = key.split('.');
  const first = path[0] ?? '';
  const roots = knownKeys(runConfigSchema, []);
  const training = knownKeys(runConfigSchema, ['training']);
  if (roots.includes(first)) return path;
  if (training.includes(first)) return ['training', ...path];
  const known = [...roots, ...training.map((name) => `training.${name}`)];
  const near = nearestNames(key, [...known, ...training]);
  throw new RequestError({
    where: `--set ${key}`,
    expected: 'a known key',
    got: `"${key}"`,
    hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : `known keys: ${known.join(', ')}`,
  });
}

function assign(target: RawConfig, path: readonly string[], value: unknown, setting: string): void {
  let place = target;
  for (const key of path.slice(0, -1)) {
    const next = place[key] ?? {};
    if (typeof next !== 'object' || Array.isArray(next)) {
      throw new RequestError({
        where: `--set ${setting}`,
        expected: `"${key}" to have keys of its own`,
        got: JSON.stringify(next),
      });
    }
    const copy: RawConfig = { ...next };
    place[key] = copy;
    place = copy;
  }
  place[path.at(-1) ?? ''] = value;
}
