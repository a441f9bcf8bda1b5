/**
 * What is asked of the addon while a body runs. To be imported by a test file before anything is computed:
 * operators are known by the numbers that the addon gives at their first call.
 */
import { type Native, native } from '../../src/tensor/native.ts';

/** Operators whose result's size depends on values, so that on a GPU they wait for them; or a value itself. */
const WAITING = new Set([
  'aten::_local_scalar_dense',
  'aten::_unique2',
  'aten::bincount',
  'aten::equal',
  'aten::is_nonzero',
  'aten::item',
  'aten::masked_select',
  'aten::nonzero',
  'aten::repeat_interleave',
  'aten::unique_consecutive',
  'aten::unique_dim',
]);

const names = new Map<number, string>();
const replacements = new Map<string, number>();
let calls: { name: string; values: readonly unknown[] }[] | undefined;

function watch<K extends keyof Native>(
  name: K,
  after: (values: readonly unknown[], result: unknown) => void,
): void {
  const original: (...values: never[]) => unknown = native[name];
  const watched = (...values: never[]): unknown => {
    const result = original(...values);
    after(values, result);
    return result;
  };
  Object.assign(native, { [name]: watched });
}

watch('operator', ([name], id) => names.set(Number(id), String(name)));
const call = native.call;
native.call = (id, ...values) => {
  const name = names.get(id) ?? '?';
  calls?.push({ name, values });
  return call(replacements.get(name) ?? id, ...values);
};
watch('item', (values) => calls?.push({ name: 'item', values }));
watch('toBuffer', (values) => calls?.push({ name: 'toBuffer', values }));
watch('synchronize', (values) => calls?.push({ name: 'synchronize', values }));

/** From now on an operator that this machine cannot run is done by another one with the same arguments. */
export function replaceOperator(name: string, by: string): void {
  replacements.set(name, native.operator(by, ''));
}

/** Names and arguments of what `body` asks for, in order; operators by ATen's name. */
export async function callsOf(
  body: () => void | Promise<void>,
): Promise<{ name: string; values: readonly unknown[] }[]> {
  const seen: { name: string; values: readonly unknown[] }[] = [];
  calls = seen;
  try {
    await body();
  } finally {
    calls = undefined;
  }
  return seen;
}

/** Those of them that wait for a GPU, by name. */
export async function waitsOf(body: () => void | Promise<void>): Promise<string[]> {
  const own = new Set(['item', 'toBuffer', 'synchronize']);
  const seen = await callsOf(body);
  return seen.map(({ name }) => name).filter((name) => own.has(name) || WAITING.has(name));
}
