/** Checkpoints from before PyTorch's zip format, and from before 0.1.10. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listWeights, readWeights } from '../../src/weights/index.ts';
import { global, integer, mark, pickle, tensor, tuple, whole } from './pickleWriter.ts';
import {
  describeTensors,
  type GoldenTensor,
  goldenPath,
  pthFile,
  readGolden,
  readingError,
  temporaryFile,
} from './support.ts';

type Golden = Record<string, Record<string, GoldenTensor>>;

const container = 'PyTorch before 1.6';

describe.each(['torch1', 'torch2'])('legacy checkpoints of %s', (version) => {
  const golden = readGolden<Golden>(`${version}-legacy.json`);

  it.each(Object.keys(golden))('reads %s bit by bit', async (name) => {
    const path = goldenPath(`${version}-legacy-${name}.pth`);
    const file = await readWeights(path);
    expect(describeTensors(file.tensors)).toEqual(golden[name]);
    expect([...file.tensors.keys()]).toEqual(Object.keys(golden[name] ?? {}));
    expect(file.metadata.container).toBe(container);
    const wrapper = { model: 'model', training: 'state_dict' }[name];
    expect(file.metadata.wrapper).toBe(wrapper);
    expect([...(await listWeights(path)).tensors.keys()]).toEqual([...file.tensors.keys()]);
  });

  it('refuses a whole network', async () => {
    const error = await readingError(goldenPath(`${version}-legacy-refused-module.pth`));
    expect(error.message).toContain('torch.nn.modules.linear.Linear');
    expect(error.message).toContain('.state_dict()');
  });
});

describe('a tar archive of PyTorch 0.1', () => {
  it('is read bit by bit', async () => {
    const file = await readWeights(goldenPath('torch0-tar.pth'));
    expect(describeTensors(file.tensors)).toEqual(readGolden('torch0-tar.json'));
    expect(file.metadata.container).toBe('PyTorch 0.1');
  });
});

describe('damage to files without checksums', () => {
  it.each(['torch1-legacy-model.pth', 'torch0-tar.pth'])(
    '%s: no part of it is taken for the whole',
    async (name) => {
      const bytes = readFileSync(goldenPath(name));
      // What is behind the last member of an archive is padding.
      const end = name.includes('tar') ? bytes.length - 10240 : bytes.length;
      const step = Math.ceil(end / 60);
      for (let length = 1; length < end; length += step) {
        const error = await readingError(temporaryFile(bytes.subarray(0, length), '.pth'));
        expect(error.exitCode).toBe(1);
      }
    },
  );

  it('a byte too many is refused', async () => {
    const bytes = readFileSync(goldenPath('torch1-legacy-model.pth'));
    const longer = temporaryFile(Buffer.concat([bytes, Buffer.from('x')]), '.pth');
    expect((await readingError(longer)).message).toContain('a file that ends after');
  });

  it('a tar archive of other things is refused', async () => {
    const header = Buffer.alloc(1024);
    header.write('notes.txt', 0);
    header.write('00000000000\0', 124);
    header.write('ustar\u000000', 257);
    header[156] = 0x30;
    header.fill(' ', 148, 156);
    const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const error = await readingError(temporaryFile(header, '.pth'));
    expect(error.message).toContain('a PyTorch 0.1 checkpoint');
    expect(error.message).toContain('a tar archive of notes.txt');
  });
});

describe('pickles of Python 2', () => {
  const four = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
  const line = tensor({ shape: [4], strides: [1] });
  const shortText = (value: string): Buffer => pickle('U', value.length, value);
  const list = (...items: Uint8Array[]): Buffer => pickle(']', mark, ...items, 'e');
  const orderedDict = (...pairs: Uint8Array[]): Buffer =>
    pickle(global('collections', 'OrderedDict'), tuple(list(...pairs)), 'R');

  it('have byte strings, and ordered dictionaries with their pairs in the call', async () => {
    const pairs = ['a', 'b'].map((name) => list(shortText(name), line));
    const { tensors } = await readWeights(pthFile(whole(orderedDict(...pairs)), { '0': four }));
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(tensors.get('b')).toMatchObject({ shape: [4], dtype: 'float32' });
  });

  it.each([
    ['a pair of three', orderedDict(list(shortText('a'), line, line)), 'a list of 3 in place'],
    ['a pair that is a number', orderedDict(integer(3)), '3 in place of a key'],
    [
      'a dictionary in place of pairs',
      pickle(global('collections', 'OrderedDict'), tuple('}'), 'R'),
      'an OrderedDict of a dict',
    ],
    ['a string past the end', pickle('U', 200, 'a'), 'ends in the middle'],
    ['a string that is no text', pickle('U', 1, 0xff), 'not UTF-8'],
    ['a long string past the end', pickle('T', Buffer.from('ffffffff', 'hex')), 'in the middle'],
  ])('%s is refused', async (_, value, message) => {
    const error = await readingError(pthFile(whole(value), { '0': four }));
    expect(error.message).toContain(message);
  });
});
