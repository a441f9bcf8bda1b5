/**
 * Checking what a user wrote (a study file, a run's configuration, `--set`) against a schema, once,
 * with an error that names the file, the line, the key, and the names that would have been right.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parse,
  parseDocument,
} from 'yaml';
import { z } from 'zod';
import { nearestNames, RequestError } from '../util/index.ts';

/** A place in a value: keys and list positions from the root. */
export type KeyPath = readonly (string | number)[];

export interface ValidateOptions {
  /** What is being checked, for the error: a file or an option. */
  where: string;
  /** Where in the file a path was written, for example `line 12`. */
  locate?: (path: KeyPath) => string | undefined;
}

/**
 * `value` as `schema` understands it, with defaults filled in.
 * @throws RequestError that names the first key at fault; for an unknown key, the nearest known ones.
 */
export function validate<S extends z.ZodType>(
  schema: S,
  value: unknown,
  { where, locate }: ValidateOptions,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = mostSpecific(result.error.issues);
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  const place = (full: KeyPath): string => {
    const line = locate?.(full);
    const key = full.length > 0 ? `: ${keyText(full)}` : '';
    return `${where}${line === undefined ? '' : `, ${line}`}${key}`;
  };
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path);
    const name = issue.keys[0] ?? '';
    const near = nearestNames(name, known);
    throw new RequestError({
      where: place([...path, name]),
      expected: 'a known key',
      got: issue.keys.map((key) => `"${key}"`).join(', '),
      hint:
        near.length > 0
          ? `did you mean ${near.join(', ')}?`
          : `known keys: ${known.join(', ') || 'none'}`,
    });
  }
  throw new RequestError({
    where: place(path),
    expected: expectation(issue),
    got: show(valueAt(value, path)),
    hint: choiceHint(issue, valueAt(value, path)),
  });
}

/**
 * A YAML text checked against `schema`; errors carry the line.
 * @throws RequestError for YAML that cannot be parsed, and as {@link validate}.
 */
export function validateYaml<S extends z.ZodType>(
  schema: S,
  text: string,
  where: string,
): z.output<S> {
  const { document, lines } = parseYaml(text, where);
  return validate(schema, parsedValue(document, where), {
    where,
    locate: (path) => lineOf(document, lines, path),
  });
}

/**
 * Names a place of a YAML text in errors about what stands there: `study.yaml, line 3: data.skin`.
 * @throws RequestError for YAML that cannot be parsed
 */
export function yamlPlaces(text: string, where: string): (path: KeyPath) => string {
  const { document, lines } = parseYaml(text, where);
  return (path) => {
    const line = lineOf(document, lines, path);
    return `${where}${line === undefined ? '' : `, ${line}`}: ${keyText(path)}`;
  };
}

/**
 * The keys and values of a YAML text, not yet checked.
 * @throws RequestError for YAML that cannot be parsed, or that is no mapping.
 */
export function parseYamlMap(text: string, where: string): Record<string, unknown> {
  const value = parsedValue(parseYaml(text, where).document, where) ?? {};
  if (isRecord(value)) return value;
  throw new RequestError({ where, expected: 'keys and values', got: show(value) });
}

/**
 * The value of a setting `key=value` on the command line, in YAML. A single mark, as in
 * `labelSeparator=|`, is itself, though YAML has uses for most of them.
 * @throws RequestError
 */
export function parseSetting(setting: string, text: string): unknown {
  const mark = text.trim();
  if (/^[^\w\s~]$/.test(mark)) return mark;
  try {
    return parse(text);
  } catch (error) {
    throw new RequestError(
      { where: `--set ${setting}`, expected: 'a YAML value', got: text },
      { cause: error },
    );
  }
}

function parseYaml(text: string, where: string): { document: Document; lines: LineCounter } {
  const lines = new LineCounter();
  // Merge keys (`<<: *base`) are no part of YAML 1.2, but what anchors are mostly used with.
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const error = document.errors[0];
  if (!error) return { document, lines };
  const key = /^\s*([^\s:]+)\s*:/.exec(text.slice(error.pos[0]))?.[1];
  const isTwice = error.code === 'DUPLICATE_KEY' && key !== undefined;
  throw new RequestError({
    where: `${where}, line ${lines.linePos(error.pos[0]).line}`,
    expected: isTwice ? 'each key once' : 'valid YAML',
    got: isTwice ? `"${key}" a second time` : (error.message.split('\n')[0] ?? error.code),
  });
}

/** The document's value, aliases resolved. @throws RequestError for aliases that cannot be. */
function parsedValue(document: Document, where: string): unknown {
  try {
    const value: unknown = document.toJS();
    return value;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new RequestError(
      { where, expected: 'aliases (*name) of anchors (&name) before them', got: error.message },
      { cause: error },
    );
  }
}

/** The keys that `schema` knows at `path`. */
export function knownKeys(schema: z.ZodType, path: KeyPath): string[] {
  const root: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  let places = [root];
  for (const key of path) {
    places = places.flatMap(alternatives).flatMap((place) => {
      if (!isRecord(place)) return [];
      const properties = isRecord(place.properties) ? place.properties : {};
      const next = typeof key === 'number' ? place.items : properties[key];
      return [next ?? place.additionalProperties];
    });
  }
  const keys = places.flatMap(alternatives).flatMap((place) => {
    return isRecord(place) && isRecord(place.properties) ? Object.keys(place.properties) : [];
  });
  return [...new Set(keys)];
}

/** A JSON schema and the schemas that it offers as alternatives. */
function alternatives(place: unknown): unknown[] {
  if (!isRecord(place)) return [];
  const lists = [place.anyOf, place.oneOf, place.allOf].filter(Array.isArray);
  return [place, ...lists.flat().flatMap(alternatives)];
}

/**
 * Of a failed union, the issue of the alternative that came furthest: an object with one wrong key is
 * told of the key, not that it is none of the alternatives.
 */
function mostSpecific(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  const first = issues[0] as z.core.$ZodIssue;
  if (first.code !== 'invalid_union') return first;
  const candidates = first.errors
    .filter((list) => list.length > 0)
    .map((list) => mostSpecific(list))
    .filter((issue) => issue.code === 'unrecognized_keys' || issue.path.length > 0)
    .sort((a, b) => b.path.length - a.path.length);
  const best = candidates[0];
  return best ? { ...best, path: [...first.path, ...best.path] } : first;
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_type':
      return issue.expected === 'int'
        ? 'a whole number'
        : `${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_union':
      return unionExpectation(issue);
    case 'invalid_key':
      return issue.issues[0] ? expectation(issue.issues[0]) : issue.message;
    default:
      return issue.message;
  }
}

function unionExpectation(issue: z.core.$ZodIssueInvalidUnion): string {
  const parts = issue.errors.flatMap((list) => (list[0] ? [expectation(list[0])] : []));
  return [...new Set(parts)].join(' or ') || issue.message;
}

function unitOf(origin: string): string {
  return origin === 'array' ? ' items' : origin === 'string' ? ' characters' : '';
}

/** For a misspelt choice, the nearest of the choices; a schema's own check may name its `choices`. */
function choiceHint(issue: z.core.$ZodIssue, got: unknown): string | undefined {
  if (typeof got !== 'string') return undefined;
  const choices =
    issue.code === 'invalid_value'
      ? issue.values
      : issue.code === 'custom' && Array.isArray(issue.params?.choices)
        ? issue.params.choices
        : issue.code === 'invalid_union'
          ? issue.errors
              .flat()
              .flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []))
          : [];
  const near = nearestNames(got, choices.map(String));
  return near.length > 0 ? `did you mean ${near.join(', ')}?` : undefined;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let current = value;
  for (const key of path) {
    if (Array.isArray(current) && typeof key === 'number') current = current[key];
    else if (isRecord(current)) current = current[key];
    else return undefined;
  }
  return current;
}

function keyText(path: KeyPath): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1);
}

/** The line of the deepest part of `path` that the document has; a key's own line where it is a key. */
function lineOf(document: Document, lines: LineCounter, path: KeyPath): string | undefined {
  let node: unknown = document.contents;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const key of path) {
    let place: unknown;
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      place = pair?.key;
      node = pair?.value;
    } else if (isSeq(node)) {
      place = typeof key === 'number' ? node.items[key] : undefined;
      node = place;
    } else {
      break;
    }
    if (!isNode(place) || !place.range) break;
    offset = place.range[0];
  }
  return offset === undefined ? undefined : `line ${lines.linePos(offset).line}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
