import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../../src/weights/index.ts';
import {
  dictionary,
  global,
  integer,
  mark,
  pickle,
  stop,
  tensor,
  text,
  tuple,
  whole,
} from './pickleWriter.ts';
import { pthFile, readingError } from './support.ts';

const four = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
const line = tensor({ shape: [4], strides: [1] });

async function errorOf(value: Uint8Array, storages = { '0': four }): Promise<string> {
  return (await readingError(pthFile(value, storages))).message;
}

describe('pickles made by hand', () => {
  it('reads tensors', async () => {
    const { tensors } = await readWeights(
      pthFile(whole(dictionary({ weight: line })), { '0': four }),
    );
    expect(tensors.get('weight')).toMatchObject({ dtype: 'float32', shape: [4] });
    expect(Buffer.from(tensors.get('weight')?.bytes ?? [])).toEqual(Buffer.from(four));
  });

  it('takes names that mean something to JavaScript for names', async () => {
    const names = ['__proto__', 'constructor', 'toString', '0', 'wéight'];
    const value = pickle('}', mark, ...names.flatMap((name) => [text(name), line]), 'u');
    const { tensors } = await readWeights(pthFile(whole(value), { '0': four }));
    expect([...tensors.keys()]).toEqual(names);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('what a pickle may not do', () => {
  const ran = '/tmp/carryover-pickle-ran';
  const command = text(`touch ${ran}`);
  const getattr = pickle(text('builtins'), text('getattr'), 0x93);

  it.each([
    ['calls a function', pickle(global('os', 'system'), tuple(command), 'R'), 'os.system'],
    ['names one without a call', global('subprocess', 'Popen'), 'subprocess.Popen'],
    ['names one from the stack', getattr, 'builtins.getattr'],
    ['evaluates', pickle(global('__builtin__', 'eval'), tuple(command), 'R'), 'builtins.eval'],
    ['reaches into JavaScript', global('constructor', 'constructor'), 'constructor.constructor'],
    ['reaches for a prototype', global('', '__proto__'), '.__proto__'],
    ['instantiates (INST)', pickle(mark, command, 'ios\nsystem\n'), 'instruction 0x69'],
    ['instantiates (OBJ)', pickle(mark, global('collections', 'OrderedDict'), 'o'), '0x6f'],
    ['instantiates (NEWOBJ)', pickle(global('collections', 'OrderedDict'), ')', 0x81), '0x81'],
    ['uses an extension code', pickle(0x82, 1), '0x82'],
    ['uses text identifiers', pickle('P0\n'), '0x50'],
    ['uses buffers outside', pickle(0x97), '0x97'],
    [
      'calls a type that is only mentioned',
      pickle(global('torch', 'Tensor'), ')R'),
      'torch.Tensor',
    ],
    ['calls a text', pickle(text('system'), tuple(command), 'R'), 'a call of "system"'],
    ['calls a dict', pickle('}', tuple(command), 'R'), 'a call of a dict of 0'],
    ['calls with no tuple', pickle(global('torch', 'Size'), '}', 'R'), 'in place of arguments'],
    ['sets attributes of a list', pickle(']', '}', 'b'), 'attributes for a list of 0'],
    ['sets attributes of a tensor', pickle(line, '}', 'b'), 'attributes for a tensor'],
    [
      'rebuilds through another function',
      pickle(
        global('torch._tensor', '_rebuild_from_type_v2'),
        tuple(global('builtins', 'int'), global('torch', 'Tensor'), tuple(), 'N'),
        'R',
      ),
      'a tensor of the global torch.Tensor',
    ],
  ])('%s', async (_, value, message) => {
    expect(await errorOf(whole(dictionary({ weight: line, extra: value })))).toContain(message);
    expect(readdirSync('/tmp')).not.toContain('carryover-pickle-ran');
  });
});

describe('damaged pickles', () => {
  it.each([
    ['nothing', pickle(), 'ends in the middle'],
    ['only a stop', pickle(stop), 'without its operand'],
    ['no stop', pickle(0x80, 2, '}'), 'ends in the middle'],
    ['bytes after the end', pickle(whole(dictionary({ weight: line })), 'x'), 'left over'],
    ['values left over', whole(pickle('N', dictionary({ weight: line }))), 'left over'],
    ['a mark left open', whole(pickle(mark, '}')), 'left over'],
    ['a missing mark', whole(pickle('}', 'u')), 'without its mark'],
    ['a key without a value', whole(pickle('}', mark, text('a'), 'u')), 'a key without a value'],
    ['keys for a list', whole(pickle(']', mark, 'N', 'N', 'u')), 'keys for a list'],
    ['items for a dict', whole(pickle('}', mark, 'N', 'e')), 'items for a dict'],
    ['a value never stored', whole(pickle('h', 7)), 'never stored'],
    ['a newer protocol', pickle(0x80, 6, '}', stop), 'protocol 6'],
    ['a text longer than the file', pickle(0x80, 2, 'X', Buffer.from('ffffff7f', 'hex')), 'middle'],
    ['a piece of 2^63 bytes', pickle(0x8e, Buffer.alloc(8, 0xff)), 'a piece of'],
    ['text that is not UTF-8', whole(pickle('X', Buffer.from('01000000ff', 'hex'))), 'UTF-8'],
    ['an integer of a megabyte', pickle(0x8b, Buffer.from('00001000', 'hex')), 'an integer of'],
  ])('%s', async (_, value, message) => {
    expect(await errorOf(value)).toContain(message);
  });
});

describe('impossible tensors', () => {
  it.each([
    ['a shape past the storage', tensor({ shape: [5], strides: [1] }), 'number 4 of a storage'],
    ['an offset past it', tensor({ shape: [4], strides: [1], offset: 1 }), 'number 4 of'],
    ['a huge offset', tensor({ shape: [1], strides: [1], offset: 2 ** 53 - 1 }), 'of a storage'],
    ['a huge shape', tensor({ shape: [2 ** 40], strides: [1] }), 'of a storage of 16 bytes'],
    ['an expanded element', tensor({ shape: [2 ** 40], strides: [0] }), 'expanded from 16 bytes'],
    ['a shape past counting', tensor({ shape: [2 ** 40, 2 ** 40], strides: [0, 0] }), 'of shape'],
    ['a negative size', tensor({ shape: [-1], strides: [1] }), '-1 for the shape'],
    ['a negative stride', tensor({ shape: [2], strides: [-1] }), '-1 for the strides'],
    ['a negative offset', tensor({ shape: [2], strides: [1], offset: -1 }), '-1 for the offset'],
    ['too few strides', tensor({ shape: [2, 2], strides: [1] }), 'and strides [1]'],
    [
      'no storage type',
      tensor({ storage: text('x'), shape: [4], strides: [1] }),
      'place of a storage',
    ],
    ['a wrong count', tensor({ count: 3, shape: [3], strides: [1] }), '12 bytes of data for'],
    ['no such storage', tensor({ key: '9', shape: [4], strides: [1] }), 'no record data/9'],
    [
      'a path as a key',
      tensor({ key: '../data.pkl', shape: [4], strides: [1] }),
      'no record data/',
    ],
    ['a dtype on its own', pickle(global('torch', 'float32'), ')', 'R'), 'a call of torch.float32'],
    ['no arguments', pickle(global('torch._utils', '_rebuild_tensor_v2'), ')R'), '0 arguments'],
    [
      'a storage by another name',
      pickle(tuple(text('other'), 'N', 'N', 'N', 'N'), 'Q'),
      'in place of a storage',
    ],
  ])('%s', async (_, value, message) => {
    expect(await errorOf(whole(dictionary({ weight: value })))).toContain(message);
  });
});

describe('bombs', () => {
  const repeated = (piece: string, count: number): Buffer => Buffer.alloc(count, piece, 'latin1');
  const doubling = pickle(
    ...Array.from({ length: 100 }, (_, index) =>
      index === 0 ? pickle(']q', 0) : pickle('](h', index - 1, 'h', index - 1, 'eq', index),
    ),
    // Only the last list, of 2^99 leaves, stays.
    'q',
    200,
    ...Array.from({ length: 100 }, () => '0'),
    'h',
    200,
  );

  it.each([
    [
      'ten million lists, each in the one before',
      pickle(repeated(']', 1e7), repeated('a', 1e7 - 1)),
    ],
    ['ten million marks', pickle(repeated('(', 1e7))],
    ['ten million dicts', repeated('}', 1e7)],
    ['ten million values', repeated('N', 1e7)],
    ['a pickle of 17 million bytes', repeated('N', 1.7e7)],
    ['lists that double a hundred times', doubling],
    ['a list that contains itself', pickle(']q', 0, 'h', 0, 'a')],
    ['a dict that contains itself', pickle('}q', 0, text('model'), 'h', 0, 's')],
  ])(
    '%s',
    async (_, value) => {
      const before = process.memoryUsage().rss;
      await errorOf(whole(value));
      expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 30);
    },
    10_000,
  );

  it('ten thousand tensors that expand a storage of a megabyte', async () => {
    const shared = tensor({ count: 2 ** 18, shape: [2 ** 18, 2], strides: [1, 0] });
    const names = Array.from({ length: 10_000 }, (_, index) => [`w${index}`, pickle('h', 0)]);
    const value = pickle(shared, 'q', 0, '0', dictionary(Object.fromEntries(names)));
    const message = await errorOf(whole(value), { '0': new Uint8Array(2 ** 20) });
    expect(message).toContain('expanded from 1048576 bytes');
  }, 10_000);

  it('ten thousand whole views of one storage cost one storage', async () => {
    const shared = tensor({ count: 2 ** 18, shape: [2 ** 18], strides: [1] });
    const names = Array.from({ length: 10_000 }, (_, index) => [`w${index}`, pickle('h', 0)]);
    const value = pickle(shared, 'q', 0, '0', dictionary(Object.fromEntries(names)));
    const path = pthFile(whole(value), { '0': new Uint8Array(2 ** 20) });
    expect((await readWeights(path)).tensors.size).toBe(10_000);
  }, 10_000);

  it('a thousand dimensions', async () => {
    const ones = Array.from({ length: 1000 }, () => 1);
    const value = dictionary({ weight: tensor({ shape: ones, strides: ones }) });
    expect(await errorOf(whole(value))).toContain('1000 dimensions');
  });

  it('an integer that is no count', async () => {
    const value = dictionary({ weight: tensor({ shape: [4], strides: [1] }), epoch: integer(3) });
    expect(await errorOf(whole(value))).toContain('dict of "weight", "epoch"');
  });
});
