/** The published JSON schema: current, complete, and of the same mind as the program. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatStudySchema, SCHEMA_FILE, studyJsonSchema } from '../../src/study/index.ts';

const studies = fileURLToPath(new URL('../../studies/', import.meta.url));

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every key that the schema has anywhere, by its path. */
function keysOf(place: unknown, path = ''): [path: string, schema: Json][] {
  if (Array.isArray(place)) return place.flatMap((inner) => keysOf(inner, path));
  if (!isObject(place)) return [];
  const own = isObject(place.properties) ? Object.entries(place.properties) : [];
  return [
    ...own.flatMap(([key, schema]): [string, Json][] =>
      isObject(schema) ? [[`${path}.${key}`, schema], ...keysOf(schema, `${path}.${key}`)] : [],
    ),
    ...['anyOf', 'oneOf', 'allOf', 'items', 'additionalProperties'].flatMap((key) =>
      keysOf(place[key], path),
    ),
  ];
}

describe('the published schema of study files', () => {
  it('is current', async () => {
    const published = readFileSync(`${studies}${SCHEMA_FILE}`, 'utf8');
    expect(
      published === (await formatStudySchema()),
      `studies/${SCHEMA_FILE} is not current: node bin/carryover.mjs study schema > studies/${SCHEMA_FILE}`,
    ).toBe(true);
  });

  it('describes every key', async () => {
    const keys = keysOf(await studyJsonSchema());
    const paths = keys.map(([path]) => path);
    for (const path of [
      '.data.nTrain',
      '.sources.weights',
      '.analyses.cka.batch',
      '.analyses.fid.extractor',
      '.variants.training.schedule',
      '.learningRateGrid.points',
      '.training.augment.colourJitter.hue',
      '.initOptions.norm',
    ]) {
      expect(paths).toContain(path);
    }
    const silent = keys.filter(([, { description }]) => !description).map(([path]) => path);
    expect(silent).toEqual([]);
  });

  it('is what the study files refer to', () => {
    for (const name of readdirSync(studies).filter((file) => file.endsWith('.yaml'))) {
      const [first] = readFileSync(`${studies}${name}`, 'utf8').split('\n');
      expect([name, first]).toEqual([name, `# yaml-language-server: $schema=${SCHEMA_FILE}`]);
    }
  });
});
