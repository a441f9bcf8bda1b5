/**
 * Writes src/tensor/operators.generated.ts: one typed function per ATen operator that the project uses
 * (scripts/operators.json), from the dispatcher's own schemas. `--check` writes nothing and fails when
 * the file is stale; LibTorch 1.13 is the version that the file is made from, since its operators exist
 * with the same arguments in 2.x.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type NativeParameter, native } from '../src/tensor/native.ts';

const manifestPath = fileURLToPath(new URL('operators.json', import.meta.url));
const outputPath = fileURLToPath(new URL('../src/tensor/operators.generated.ts', import.meta.url));

interface Parameter {
  name: string;
  /** ATen's type without `?`. */
  type: string;
  optional: boolean;
  keywordOnly: boolean;
  written: boolean;
  length: number;
  default?: string;
}

interface Overload {
  base: string;
  overload: string;
  /** The constant that holds the prepared operator. */
  constant: string;
  parameters: Parameter[];
  returns: Parameter[];
}

/** Never set by the project: dense layout, pageable memory. */
const omitted = new Set(['layout', 'pin_memory']);
const reserved = new Set(['var', 'new', 'delete', 'in', 'if', 'for']);

const camel = (name: string) =>
  name.replace(/_+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());

function parameterOf([
  name,
  declared,
  length,
  keywordOnly,
  written,
  value,
]: NativeParameter): Parameter {
  const optional = declared.endsWith('?');
  return {
    name: camel(name),
    type: (optional ? declared.slice(0, -1) : declared).replace(/^SymInt/, 'int'),
    optional,
    keywordOnly,
    written,
    length,
    ...(value === undefined ? {} : { default: value }),
  };
}

function overloadOf(fullName: string): Overload {
  const [base = '', overload = ''] = fullName.replace(/^aten::/, '').split('.');
  const [parameters, returns] = native.schema(`aten::${base}`, overload);
  return {
    base,
    overload,
    constant: `${base}$${overload}`,
    parameters: parameters.map(parameterOf),
    returns: returns.map(parameterOf),
  };
}

function typeScriptType({ type, length, optional }: Parameter): string {
  const plain: Record<string, string> = {
    Tensor: 'Tensor',
    'Tensor[]': 'readonly Tensor[]',
    'Tensor?[]': 'readonly (Tensor | undefined)[]',
    Scalar: 'Scalar',
    number: 'Scalar',
    'Scalar[]': 'readonly Scalar[]',
    'number[]': 'readonly Scalar[]',
    int: 'number',
    float: 'number',
    'float[]': 'readonly number[]',
    bool: 'boolean',
    'bool[]': 'readonly boolean[]',
    str: 'string',
    ScalarType: 'DType',
    Device: 'Device',
    MemoryFormat: 'MemoryFormat',
    Generator: 'Generator',
  };
  const found =
    type === 'int[]'
      ? length > 0
        ? 'number | readonly number[]'
        : 'readonly number[]'
      : plain[type];
  if (!found) throw new Error(`expected a type that wrappers can take, got ${type}`);
  return optional ? `${found} | undefined` : found;
}

/** The expression that turns a parameter into what the addon takes. */
function encode(parameter: Parameter, value: string): string {
  const { type } = parameter;
  const optional = parameter.optional || hasDefault(parameter);
  switch (type) {
    case 'Tensor':
      return optional ? `${value}?.handle` : `${value}.handle`;
    case 'Tensor[]':
    case 'Tensor?[]':
      return optional ? `${value} && handlesOf(${value})` : `handlesOf(${value})`;
    case 'ScalarType':
      return optional ? `${value} && dtypeCode(${value})` : `dtypeCode(${value})`;
    case 'MemoryFormat':
      return optional ? `${value} && memoryFormatCode(${value})` : `memoryFormatCode(${value})`;
    case 'Generator':
      return optional ? `${value}?.id` : `${value}.id`;
    default:
      return value;
  }
}

const hasDefault = (parameter: Parameter) => parameter.default !== undefined;
const positional = ({ parameters }: Overload) => parameters.filter((p) => !p.keywordOnly);
const keywords = ({ parameters }: Overload) =>
  parameters.filter((p) => p.keywordOnly && !omitted.has(p.name) && p.name !== 'pinMemory');

function optionsType(overload: Overload): string {
  const fields = keywords(overload).map((p) => {
    const type = typeScriptType(p);
    return `${p.name}${hasDefault(p) ? '?' : ''}: ${type}`;
  });
  return `{ ${fields.join('; ')} }`;
}

function parameterList(overload: Overload): string[] {
  const list = positional(overload);
  const texts = list.map((parameter, index) => {
    const omittable = list.slice(index).every(hasDefault);
    const type = typeScriptType(parameter);
    const orUndefined = !omittable && hasDefault(parameter) && !parameter.optional;
    return `${parameter.name}${omittable ? '?' : ''}: ${type}${orUndefined ? ' | undefined' : ''}`;
  });
  const options = keywords(overload);
  if (options.length > 0) {
    texts.push(`options${options.every(hasDefault) ? '?' : ''}: ${optionsType(overload)}`);
  }
  return texts;
}

/** [return type, function of results.ts], or the written parameter that an in-place operator answers. */
function resultOf({ returns, parameters, base }: Overload): {
  type: string;
  wrap?: string;
  self?: string;
} {
  if (returns.length === 1 && returns[0]?.written) {
    const written = parameters.find((p) => p.written);
    if (!written) throw new Error(`${base}: expected a parameter that is written`);
    return { type: 'Tensor', self: written.name };
  }
  const types = returns.map((r) => r.type).join(',');
  const known: Record<string, { type: string; wrap?: string }> = {
    '': { type: 'void' },
    Tensor: { type: 'Tensor', wrap: 'one' },
    'Tensor[]': { type: 'Tensor[]', wrap: 'list' },
    'Tensor,Tensor': { type: '[Tensor, Tensor]', wrap: 'pair' },
    'Tensor,Tensor,Tensor': { type: '[Tensor, Tensor, Tensor]', wrap: 'triple' },
    'Tensor,Tensor,Tensor,Tensor': {
      type: '[Tensor, Tensor, Tensor, Tensor]',
      wrap: 'quadruple',
    },
    int: { type: 'number', wrap: 'number' },
    float: { type: 'number', wrap: 'number' },
    bool: { type: 'boolean', wrap: 'truth' },
  };
  const found = known[types];
  if (!found) throw new Error(`${base}: expected results that wrappers can give, got ${types}`);
  return found;
}

function schemaText({ base, overload, parameters, returns }: Overload): string {
  const show = (p: Parameter) =>
    `${p.type}${p.optional ? '?' : ''}${p.written ? '!' : ''} ${p.name}${p.default === undefined ? '' : `=${p.default}`}`;
  const before = parameters.filter((p) => !p.keywordOnly).map(show);
  const after = parameters.filter((p) => p.keywordOnly).map(show);
  const all = [...before, ...(after.length > 0 ? ['*', ...after] : [])];
  const results = returns.map((r) => `${r.type}${r.name ? ` ${r.name}` : ''}`);
  return `aten::${base}${overload ? `.${overload}` : ''}(${all.join(', ')}) -> ${results.join(', ') || '()'}`;
}

function callText(overload: Overload, names: Map<string, string>): string {
  const values = overload.parameters.map((parameter) => {
    if (parameter.keywordOnly) {
      const offered = keywords(overload).includes(parameter);
      if (!offered) return 'undefined';
      const every = keywords(overload).every(hasDefault);
      return encode(
        parameter,
        `${names.get('options') ?? 'options'}${every ? '?' : ''}.${parameter.name}`,
      );
    }
    return encode(parameter, names.get(parameter.name) ?? parameter.name);
  });
  while (values[values.length - 1] === 'undefined') values.pop();
  return `invoke(${overload.constant}, ${values.join(', ')})`;
}

function bodyText(overload: Overload, names = new Map<string, string>()): string {
  const result = resultOf(overload);
  const call = callText(overload, names);
  if (result.self) return `${call};\n  return ${names.get(result.self) ?? result.self};`;
  return result.wrap ? `return ${result.wrap}(${call});` : `${call};`;
}

type Kind = 'tensor' | 'tensors' | 'number' | 'list' | 'string' | 'options' | 'absent';

/** What JavaScript values may stand at a position, to tell overloads apart. */
function kindsAt(overload: Overload, position: number): Set<Kind> {
  const list = positional(overload);
  const parameter = list[position];
  if (!parameter) {
    const isOptions = position === list.length && keywords(overload).length > 0;
    return new Set<Kind>(isOptions ? ['options', 'absent'] : ['absent']);
  }
  const kinds = new Set<Kind>();
  const { type } = parameter;
  if (type === 'Tensor') kinds.add('tensor');
  else if (type === 'Tensor[]' || type === 'Tensor?[]') kinds.add('tensors');
  else if (type.endsWith('[]')) {
    kinds.add('list');
    if (parameter.length > 0) kinds.add('number');
  } else if (type === 'str' || type === 'ScalarType' || type === 'Device') kinds.add('string');
  else kinds.add('number');
  if (hasDefault(parameter)) kinds.add('absent');
  return kinds;
}

const tests: Record<Kind, (value: string) => string> = {
  tensor: (v) => `${v} instanceof Tensor`,
  tensors: (v) => `isTensorList(${v})`,
  number: (v) => `isScalar(${v})`,
  list: (v) => `isNumberList(${v})`,
  string: (v) => `typeof ${v} === 'string'`,
  options: (v) => `isOptions(${v})`,
  absent: (v) => `${v} === undefined`,
};

/** An order of overloads and, for all but the last, the test that picks it. */
function discriminate(
  overloads: Overload[],
): { overload: Overload; position: number; kinds: Kind[] }[] {
  const rest = [...overloads];
  const chain: { overload: Overload; position: number; kinds: Kind[] }[] = [];
  const width = Math.max(...overloads.map((o) => positional(o).length)) + 1;
  while (rest.length > 1) {
    const found = rest.flatMap((candidate) => {
      for (let position = 0; position < width; position++) {
        const kinds = kindsAt(candidate, position);
        const others = rest.filter((other) => other !== candidate);
        if (
          others.every((other) => [...kindsAt(other, position)].every((kind) => !kinds.has(kind)))
        ) {
          return [{ overload: candidate, position, kinds: [...kinds] }];
        }
      }
      return [];
    })[0];
    if (!found) {
      throw new Error(
        `${rest.map((o) => o.constant).join(', ')}: expected overloads that values tell apart`,
      );
    }
    chain.push(found);
    rest.splice(rest.indexOf(found.overload), 1);
  }
  const [last] = rest;
  if (last) chain.push({ overload: last, position: -1, kinds: [] });
  return chain;
}

/** ATen's name in camel case; the underscores before (internal) and after (in place) stay: `_foreachAdd_`. */
function functionName(base: string): string {
  const [, before = '', middle = '', after = ''] = /^(_*)(.*?)(_*)$/.exec(base) ?? [];
  return `${before}${camel(middle)}${after}`;
}

const named = (base: string) => (reserved.has(base) ? `${base}$` : functionName(base));

function signature(overload: Overload): string {
  return `(${parameterList(overload).join(', ')}): ${resultOf(overload).type}`;
}

function groupText(overloads: Overload[]): string {
  const [first] = overloads;
  if (!first) return '';
  const name = named(first.base);
  const constants = overloads
    .map((o) => `const ${o.constant} = new Operator('aten::${o.base}', '${o.overload}');`)
    .join('\n');
  const comment = (o: Overload) => `/** ${schemaText(o)} */\n`;
  const isReserved = reserved.has(first.base);
  const exported = isReserved ? '' : 'export ';
  const alias = isReserved ? `export { ${name} as ${first.base} };\n` : '';
  if (overloads.length === 1) {
    return `${constants}\n${comment(first)}${exported}function ${name}${signature(first)} {\n  ${bodyText(first)}\n}\n${alias}`;
  }
  const privates = overloads.map(
    (o) => `function ${o.constant}Call${signature(o)} {\n  ${bodyText(o)}\n}\n`,
  );
  const declared = overloads.map(
    (o) => `${comment(o)}${exported}function ${name}${signature(o)};\n`,
  );
  const width = Math.max(...overloads.map((o) => parameterList(o).length));
  const values = Array.from({ length: width }, (_, index) => `value${index}`);
  const resultType = [...new Set(overloads.map((o) => resultOf(o).type))].join(' | ');
  const lines = discriminate(overloads).map(({ overload, position, kinds }) => {
    const passed = parameterList(overload).map(
      (text, index) =>
        `value${index} as ${text.replace(/^\w+\??: /, '')}${/^\w+\?/.test(text) ? ' | undefined' : ''}`,
    );
    const call = `return ${overload.constant}Call(${passed.join(', ')});`;
    return position < 0
      ? call
      : `if (${kinds.map((k) => tests[k](`value${position}`)).join(' || ')}) ${call}`;
  });
  const implementation = `${exported}function ${name}(${values
    .map((v) => `${v}?: OperatorValue`)
    .join(', ')}): ${resultType} {\n  ${lines.join('\n  ')}\n}\n`;
  return `${constants}\n${privates.join('')}${declared.join('')}${implementation}${alias}`;
}

function generate(): string {
  const manifest: string[] = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const names = [...new Set(manifest)].sort();
  const groups = new Map<string, Overload[]>();
  for (const name of names) {
    const overload = overloadOf(name);
    groups.set(overload.base, [...(groups.get(overload.base) ?? []), overload]);
  }
  const body = [...groups.values()].map(groupText).join('\n');
  const uses = (word: string) => new RegExp(`\\b${word}\\(`).test(body);
  const wraps = ['list', 'number', 'one', 'pair', 'quadruple', 'triple', 'truth'].filter(uses);
  const guards = ['isNumberList', 'isOptions', 'isScalar', 'isTensorList'].filter(uses);
  return `// Generated by scripts/generate-operators.ts from LibTorch's schemas. Do not edit: \`npm run generate\`.
import { ${uses('memoryFormatCode') ? 'dtypeCode, type DType, type MemoryFormat, memoryFormatCode' : 'dtypeCode, type DType'} } from './dtype.ts';
import type { Generator } from './generator.ts';
import { handlesOf } from './modes.ts';
import { invoke, Operator } from './operator.ts';
import { ${wraps.join(', ')} } from './results.ts';
import { type Device, type Scalar, Tensor } from './tensor.ts';
import { ${[...guards, 'type OperatorValue'].join(', ')} } from './values.ts';

${body}`;
}

function formatted(text: string): string {
  return execFileSync('npx', ['biome', 'format', '--stdin-file-path=operators.generated.ts'], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const isCheck = process.argv.includes('--check');
const version = native.versions()[0];
if (!version.startsWith('1.13')) {
  for (const name of JSON.parse(readFileSync(manifestPath, 'utf8')) as string[]) overloadOf(name);
  say(`LibTorch ${version} has every operator of the list; the file is made from 1.13's schemas`);
} else {
  const text = formatted(generate());
  const current = (() => {
    try {
      return readFileSync(outputPath, 'utf8');
    } catch {
      return '';
    }
  })();
  if (!isCheck) {
    writeFileSync(outputPath, text);
    say('wrote src/tensor/operators.generated.ts');
  } else if (text !== current) {
    say(
      'error: src/tensor/operators.generated.ts: expected the current schemas and list, got a stale file (run `npm run generate`)',
    );
    process.exitCode = 1;
  } else {
    say('src/tensor/operators.generated.ts is current');
  }
}
