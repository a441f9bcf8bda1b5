// The addon that decodes JPEG files with the system's libjpeg-turbo (native/jpeg/): it makes the first reading of
// a data set faster.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { optimisation } from './addon.mjs';
import { buildOptionalAddon } from './optionalAddon.mjs';

const macos = process.platform === 'darwin';
const advice = macos ? 'brew install jpeg-turbo' : 'sudo apt-get install -y libjpeg-dev';

/** Folders with `include` and `lib` of their own; the system's are where the compiler looks anyhow. */
const places = ['/opt/homebrew/opt/jpeg-turbo', '/usr/local/opt/jpeg-turbo', '/usr', '/usr/local'];

const header = (place) => join(place, 'include/jpeglib.h');

/** The folder under which libjpeg's headers are, or undefined. */
export function findJpeg(candidates = places) {
  return candidates.find((place) => existsSync(header(place)));
}

/**
 * Builds the addon, or finds it built: as `buildOptionalAddon` has it.
 * @param {{root: string, place?: string, out?: string, sanitize?: string}} options `place`: as `findJpeg` has it
 */
export function buildJpegAddon({ root, place = findJpeg(), ...options }) {
  const own = place && !['/usr', '/usr/local'].includes(place) ? place : undefined;
  const addon = {
    name: 'jpeg',
    purpose: 'for JPEG files',
    header: place && header(place),
    missing: `no headers of libjpeg-turbo; ${advice}`,
    without: 'JPEG files will be decoded by sharp, to the same pixels in twice the time',
    flags: [
      ...optimisation(options.sanitize),
      '-std=c++17',
      '-fPIC',
      '-fvisibility=hidden',
      '-Wall',
      '-Wextra',
      '-DNAPI_VERSION=8',
      `-isystem${join(root, 'node_modules/node-api-headers/include')}`,
      ...(own ? [`-isystem${join(own, 'include')}`, `-L${join(own, 'lib')}`] : []),
      ...(macos ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
      '-ljpeg',
    ],
  };
  return buildOptionalAddon(addon, { root, ...options });
}
