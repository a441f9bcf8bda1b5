/** A data set's entry from what was typed. */
import { type DataSpec, parseDataArgument } from '../../data/index.ts';
import { parseSetting } from '../../results/index.ts';
import { RequestError } from '../../util/index.ts';
import { numberOrText } from '../numbers.ts';
import type { DataFlags } from './flags.ts';

/** @throws RequestError for an unknown kind or key, or a setting that cannot be read. */
export function dataEntry(
  argument: string,
  flags: Partial<DataFlags> & Pick<DataFlags, 'set'>,
  where = argument,
): DataSpec {
  const settings: Record<string, unknown> = {};
  for (const setting of flags.set) assign(settings, setting);
  if (flags.fraction !== undefined) settings.fraction = numberOrText(flags.fraction);
  if (flags.nTrain !== undefined) settings.nTrain = flags.nTrain;
  return parseDataArgument(argument, { where }, settings);
}

/** Puts `key=value` or `key.inner=value` into the settings; the value is YAML. */
function assign(settings: Record<string, unknown>, setting: string): void {
  const equals = setting.indexOf('=');
  if (equals <= 0) {
    throw new RequestError({
      where: `--set ${setting}`,
      expected: 'key=value',
      got: equals === 0 ? 'no key' : 'no "="',
      hint: 'for example --set labelColumn=diagnosis',
    });
  }
  const [key = '', inner, ...deeper] = setting.slice(0, equals).trim().split('.');
  const value = parseSetting(setting, setting.slice(equals + 1));
  if (inner === undefined) {
    settings[key] = value;
    return;
  }
  const outer = settings[key] ?? {};
  if (deeper.length > 0 || typeof outer !== 'object') {
    throw new RequestError({
      where: `--set ${setting}`,
      expected: 'a key of a data set, or of its split',
      got: setting.slice(0, equals),
    });
  }
  settings[key] = { ...outer, [inner]: value };
}
