/** The published JSON schema of study files, for completion and checks in editors. */
import { z } from 'zod';
import { loadStudySchema } from './resolve.ts';

/** Where the schema is published, as study files beside it refer to it. */
export const SCHEMA_FILE = 'study.schema.json';

/**
 * The schema of what a study file may say, draft 7, a description on every key. What keys have to do with
 * each other is checked by `carryover study plan` alone.
 */
export async function studyJsonSchema(): Promise<Record<string, unknown>> {
  const [schema, { describeKinds }] = await Promise.all([
    loadStudySchema(),
    import('../data/index.ts'),
  ]);
  const { $schema, ...described } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
  });
  const kinds = new Map(describeKinds().map(({ kind, description }) => [kind, description]));
  describeKindKeys(described, kinds);
  return { $schema, title: 'A carryover study', ...described };
}

/** The text of the published file. */
export async function formatStudySchema(): Promise<string> {
  return `${JSON.stringify(await studyJsonSchema(), null, 2)}\n`;
}

/** Gives the key `kind` of every data set's entry the kind's own description. */
function describeKindKeys(place: unknown, kinds: ReadonlyMap<string, string>): void {
  if (typeof place !== 'object' || place === null) return;
  if ('properties' in place && isRecord(place.properties)) {
    const { kind } = place.properties;
    if (isRecord(kind) && typeof kind.const === 'string') {
      kind.description ??= kinds.get(kind.const);
    }
  }
  for (const inner of Object.values(place)) describeKindKeys(inner, kinds);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
