/** Fetching published checkpoints, from a server on this machine that misbehaves as networks do. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelIds } from '../../src/models/index.ts';
import {
  type FetchOptions,
  fetchWeights,
  findSource,
  hashPrefix,
  listCachedWeights,
  resolveWeights,
  sourceFile,
  sourceName,
  type WeightSource,
  weightSources,
  writeSafetensors,
} from '../../src/weights/index.ts';
import { fill } from '../models/formula.ts';
import { type FileServerSettings, serveFile } from './fileServer.ts';
import { build } from './networks.ts';
import { goldenPath } from './support.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-fetch-'));
  folders.push(folder);
  return folder;
}

let content: Buffer;
let sha256: string;
beforeAll(async () => {
  const path = join(newFolder(), 'network.safetensors');
  await writeSafetensors(path, fill(build('resnet18_micro')).state());
  content = readFileSync(path);
  sha256 = createHash('sha256').update(content).digest('hex');
});

/** A source whose file name carries the digits, or other ones, or none. */
function sourceAt(url: string, digits: string | undefined = sha256.slice(0, 8)): WeightSource {
  const file = digits === '' ? 'network.pth' : `network-${digits}.pth`;
  return { model: 'resnet18_micro', release: 'test', publisher: 'us', url: `${url}/${file}` };
}

interface Attempt {
  settings?: Partial<FileServerSettings>;
  digits?: string;
  options?: FetchOptions;
  folder?: string;
}

/** Fetches from a server with these settings; what came and what the server saw. */
async function attempt({ settings, digits, options, folder = newFolder() }: Attempt = {}) {
  await using server = await serveFile({ bytes: content, etag: '"one"', ...settings });
  const source = sourceAt(server.url, digits);
  const outcome = await fetchWeights(source, { folder, pause: 1, ...options }).catch(
    (error: unknown) => error,
  );
  const path = join(folder, sourceFile(source));
  return { outcome, path, folder, server, source, files: readdirSync(folder).sort() };
}

const third = () => Math.floor(content.length / 3);

describe('a file that is whole', () => {
  it('is fetched, checked by the digits in its name, and recorded', async () => {
    const progress: [number, number | undefined][] = [];
    const { outcome, path, files, source, server } = await attempt({
      options: { onProgress: (done, total) => progress.push([done, total]) },
    });
    expect(outcome).toMatchObject({ path, sha256, verified: 'prefix', present: false });
    expect(outcome).toMatchObject({ bytes: content.length, warnings: [], origin: source.url });
    expect(readFileSync(path).equals(content)).toBe(true);
    const file = sourceFile(source);
    expect(files).toEqual([file, `${file}.json`]);
    expect(JSON.parse(readFileSync(`${path}.json`, 'utf8'))).toMatchObject({
      name: 'resnet18_micro.test',
      url: source.url,
      sha256,
      verified: 'prefix',
    });
    expect(progress[0]).toEqual([0, content.length]);
    expect(progress.at(-1)).toEqual([content.length, content.length]);
    expect(server.requests).toHaveLength(1);
  });

  it('is not fetched again, but hashed again', async () => {
    const folder = newFolder();
    await attempt({ folder });
    await using server = await serveFile({ bytes: content });
    const source = { ...sourceAt(server.url), release: 'again' };
    expect(await fetchWeights(source, { folder })).toMatchObject({ present: true, sha256 });
    expect(server.requests).toEqual([]);
    const path = join(folder, sourceFile(source));
    writeFileSync(path, content.subarray(1));
    await expect(fetchWeights(source, { folder })).rejects.toThrow(
      /expected a SHA-256 that starts with [0-9a-f]{8}, got [0-9a-f]{64} \(remove it/,
    );
  });

  it('that was put there by hand is checked and recorded', async () => {
    const folder = newFolder();
    const source = sourceAt('http://127.0.0.1:9');
    const path = join(folder, sourceFile(source));
    writeFileSync(path, content);
    expect(await fetchWeights(source, { folder })).toMatchObject({
      present: true,
      verified: 'prefix',
      origin: path,
    });
    expect(existsSync(`${path}.json`)).toBe(true);
  });

  it('without digits in its name is recorded with the hash that it had', async () => {
    const { outcome, folder, path, source } = await attempt({ digits: '' });
    expect(outcome).toMatchObject({ verified: 'none', sha256 });
    // Another file under that name is found out by the record.
    writeFileSync(path, content.subarray(0, -4));
    await expect(fetchWeights(source, { folder })).rejects.toThrow(
      `expected SHA-256 ${sha256}, as`,
    );
  });

  it('is checked against a whole hash where there is one', async () => {
    await using server = await serveFile({ bytes: content });
    const whole = { ...sourceAt(server.url), sha256 };
    const other = { ...whole, sha256: `${sha256.slice(0, 8)}${'0'.repeat(56)}` };
    expect(await fetchWeights(whole, { folder: newFolder() })).toMatchObject({
      verified: 'sha256',
    });
    await expect(fetchWeights(other, { folder: newFolder() })).rejects.toThrow(
      `expected SHA-256 ${other.sha256}, got ${sha256}`,
    );
  });

  it('comes from a mirror, under its official name', async () => {
    await using server = await serveFile({ bytes: content });
    const source = sourceAt('http://127.0.0.1:9/official');
    const mirror = `${server.url}/weights/`;
    const fetched = await fetchWeights(source, { folder: newFolder(), mirror });
    expect(server.requests[0]?.path).toBe(`/weights/${sourceFile(source)}`);
    expect(fetched.origin).toBe(`${mirror}${sourceFile(source)}`);
    expect(fetched.url).toBe(source.url);
  });

  it.each(['files', 'ftp://host/files', '/mnt/files'])('does not come from %s', async (mirror) => {
    const fetching = fetchWeights(sourceAt('http://127.0.0.1:9'), { folder: newFolder(), mirror });
    await expect(fetching).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('a connection that is cut', () => {
  it('is taken up where it ended', async () => {
    const { outcome, path, server } = await attempt({
      settings: { cutAfter: [third(), third(), undefined] },
    });
    expect(outcome).toMatchObject({ sha256 });
    expect(readFileSync(path).equals(content)).toBe(true);
    const starts = server.requests.map(({ range }) => Number(/\d+/.exec(range ?? '')?.[0] ?? 0));
    expect(starts).toHaveLength(3);
    expect(starts[1]).toBeGreaterThan(0);
    expect(starts[2]).toBeGreaterThan(starts[1] ?? 0);
    expect(server.sent).toBe(content.length);
  });

  it('is given up when nothing comes any more, and taken up by the next command', async () => {
    const folder = newFolder();
    const first = await attempt({ folder, settings: { cutAfter: [third(), 0] } });
    expect(first.outcome).toMatchObject({ exitCode: 1 });
    expect(String(first.outcome)).toMatch(/bytes are kept\) \(the same command goes on from there/);
    const name = sourceFile(first.source);
    expect(first.files).toEqual([`${name}.part`, `${name}.part.state`]);
    await using server = await serveFile({ bytes: content, etag: '"one"' });
    const source = sourceAt(server.url);
    expect(await fetchWeights(source, { folder })).toMatchObject({ sha256 });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(server.sent).toBeLessThan(content.length);
  });

  it.each<[string, Partial<FileServerSettings>]>([
    ['no mark of the file', { etag: undefined }],
    ['a weak mark of the file', { etag: 'W/"one"' }],
  ])('is taken up where the server gives %s but the hash is known', async (_, settings) => {
    const { outcome, server } = await attempt({
      settings: { cutAfter: [third(), undefined], ...settings },
    });
    expect(outcome).toMatchObject({ sha256, verified: 'prefix' });
    expect(server.sent).toBe(content.length);
  });

  it.each<[string, string | undefined, Partial<FileServerSettings>]>([
    ['the server has no parts', undefined, { ranges: false }],
    ['neither mark nor hash is known', '', { etag: undefined }],
    ['the mark is weak and no hash is known', '', { etag: 'W/"one"' }],
  ])('begins again where %s', async (_, digits, settings) => {
    const { outcome, path, server } = await attempt({
      digits,
      settings: { cutAfter: [third(), undefined], ...settings },
    });
    expect(outcome).toMatchObject({ sha256 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(server.requests).toHaveLength(2);
    expect(server.sent).toBeGreaterThan(content.length);
  });

  it('begins again where the file has changed meanwhile', async () => {
    const folder = newFolder();
    const other = Buffer.from(content).fill(1, third());
    const first = await attempt({
      folder,
      settings: { bytes: other, etag: '"old"', cutAfter: [2 * third(), 0] },
    });
    expect(first.files).toHaveLength(2);
    await using server = await serveFile({ bytes: content, etag: '"new"' });
    const source = sourceAt(server.url);
    const state = join(folder, `${sourceFile(source)}.part.state`);
    writeFileSync(state, JSON.stringify({ url: source.url, validator: '"old"' }));
    expect(await fetchWeights(source, { folder })).toMatchObject({ sha256 });
  });

  it('begins again where the parts turn out to be of two files', async () => {
    const folder = newFolder();
    await using server = await serveFile({ bytes: content });
    const source = sourceAt(server.url);
    writeFileSync(join(folder, `${sourceFile(source)}.part`), Buffer.alloc(1000));
    expect(await fetchWeights(source, { folder })).toMatchObject({ sha256 });
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=1000-', undefined]);
  });

  it('that left the whole file is only checked', async () => {
    const folder = newFolder();
    await using server = await serveFile({ bytes: content, etag: '"one"' });
    const source = sourceAt(server.url);
    const partial = join(folder, `${sourceFile(source)}.part`);
    writeFileSync(partial, content);
    writeFileSync(`${partial}.state`, JSON.stringify({ url: source.url, validator: '"one"' }));
    expect(await fetchWeights(source, { folder })).toMatchObject({ sha256 });
    expect(server.sent).toBe(0);
  });

  it('without a length is found out by the hash', async () => {
    const { outcome, files } = await attempt({
      settings: { bytes: content.subarray(0, third()), chunked: true },
    });
    expect(String(outcome)).toContain('expected a SHA-256 that starts with');
    expect(files).toEqual([]);
  });

  it('that stalls counts as cut', async () => {
    const { outcome, files } = await attempt({
      settings: { stallAfter: third() },
      options: { patience: 200, attempts: 2 },
    });
    expect(String(outcome)).toMatch(/expected the whole file, got .+ bytes are kept/);
    expect(files).toHaveLength(2);
  });

  it('by the user keeps what came', async () => {
    const stop = new AbortController();
    const { outcome, files } = await attempt({
      settings: { pace: 20 },
      options: {
        signal: stop.signal,
        onProgress: (done) => done > 0 && stop.abort(new Error('stopped')),
      },
    });
    expect(outcome).toMatchObject({ message: 'stopped' });
    expect(files).toHaveLength(2);
  });
});

describe('an answer that is not the file', () => {
  it('of another hash is removed, and said so', async () => {
    const { outcome, files } = await attempt({ digits: '01234567' });
    expect(outcome).toMatchObject({ exitCode: 1 });
    expect(String(outcome)).toMatch(
      /network-01234567\.pth: expected a SHA-256 that starts with 01234567, got [0-9a-f]{64} \(what came from .+ was removed/,
    );
    expect(files).toEqual([]);
  });

  it.each([404, 403, 500])('%i is an error that says so', async (status) => {
    const { outcome, files, server } = await attempt({ settings: { status } });
    expect(outcome).toMatchObject({ exitCode: 1 });
    expect(String(outcome)).toContain(String(status));
    expect(files).toEqual([]);
    expect(server.requests).toHaveLength(status === 500 ? 4 : 1);
  });

  it('a page in place of a file without digits is refused', async () => {
    const { outcome, files } = await attempt({
      digits: '',
      settings: { bytes: Buffer.from('<!DOCTYPE html><title>Log in</title>') },
    });
    expect(String(outcome)).toContain('a web page');
    expect(files).toEqual([]);
  });

  it('another network in place of a file without digits is kept with a warning', async () => {
    const { outcome } = await attempt({
      digits: '',
      settings: { bytes: readFileSync(goldenPath('torch2-plain.pth')) },
    });
    expect(outcome).toMatchObject({
      warnings: [expect.stringMatching(/does not look like resnet18_micro/)],
    });
  });
});

describe('no answer', () => {
  /** An address at which a server was, and is no more. */
  async function abandoned(): Promise<string> {
    await using server = await serveFile({ bytes: content });
    return server.url;
  }

  it('says which file to put where', async () => {
    const folder = newFolder();
    const source = sourceAt(await abandoned());
    const failed = fetchWeights(source, { folder, pause: 1 });
    await expect(failed).rejects.toMatchObject({ exitCode: 1 });
    await expect(failed).rejects.toThrow(/got .*ECONNREFUSED/);
    await expect(failed).rejects.toThrow(
      `get ${source.url}, put it at ${join(folder, sourceFile(source))}`,
    );
    const mirrored = fetchWeights(source, { folder, mirror: `${await abandoned()}/mirror` });
    await expect(mirrored).rejects.toThrow(`(officially ${source.url})`);
  });

  it('says of a folder that cannot be written which setting to change', async () => {
    const folder = join(newFolder(), 'file');
    writeFileSync(folder, '');
    await expect(fetchWeights(sourceAt('http://127.0.0.1:9'), { folder })).rejects.toThrow(
      'CARRYOVER_WEIGHTS',
    );
  });
});

describe('two at once', () => {
  it('fetch a file once', async () => {
    const folder = newFolder();
    await using server = await serveFile({ bytes: content, etag: '"one"', pace: 2 });
    const source = sourceAt(server.url);
    let waits = 0;
    const both = await Promise.all(
      [1, 2].map(() => fetchWeights(source, { folder, onWait: () => waits++ })),
    );
    expect(both.map(({ present }) => present).sort()).toEqual([false, true]);
    expect(waits).toBe(1);
    expect(server.sent).toBe(content.length);
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

describe('the catalogue', () => {
  const ids = modelIds();

  it('has a checkpoint for every model but our own small ones', () => {
    const without = ids.filter((id) => !weightSources().some(({ model }) => model === id));
    expect(without.every((id) => id.endsWith('_micro'))).toBe(true);
    for (const source of weightSources()) expect(ids).toContain(source.model);
  });

  it('has digits of the hash for all but Microsoft’s Swin', () => {
    for (const source of weightSources()) {
      expect(source.url).toMatch(/^https:\/\//);
      const prefix = hashPrefix(source);
      if (source.release === 'microsoft') expect(prefix).toBeUndefined();
      else expect(prefix, source.url).toMatch(/^[0-9a-f]{8}$/);
    }
    expect(hashPrefix(findSource('resnet50', ids))).toBe('0676ba61');
  });

  it('knows models, truncated ones, and releases by name', () => {
    expect(sourceName(findSource('resnet50', ids))).toBe('resnet50.imagenet1k_v1');
    expect(sourceFile(findSource('resnet50.imagenet1k_v2', ids))).toBe('resnet50-11ad3fa6.pth');
    expect(findSource('deit_small:5', ids).model).toBe('deit_small');
    expect(() => findSource('resnet5', ids)).toThrow(/did you mean .*resnet50/);
    expect(() => findSource('resnet18_micro', ids)).toThrow('which has none');
  });

  it('resolves names to files that are there, and never fetches', async () => {
    const folder = newFolder();
    const before = process.env.CARRYOVER_WEIGHTS;
    process.env.CARRYOVER_WEIGHTS = folder;
    try {
      const resolve = (given: string, model = 'resnet50') =>
        resolveWeights(given, model, (path) => join('/base', path));
      expect(resolve('some.pth')).toBe('/base/some.pth');
      expect(() => resolve('imagenet')).toThrow('carryover weights fetch resnet50.imagenet1k_v1');
      expect(() => resolve('imagenet', 'deit_micro')).toThrow('which has none');
      const path = join(folder, 'resnet50-0676ba61.pth');
      writeFileSync(path, 'x');
      for (const name of ['imagenet', 'resnet50', 'resnet50.imagenet1k_v1']) {
        expect(resolve(name)).toBe(path);
      }
      expect(() => resolve('resnet50.imagenet1k_v2')).toThrow('no such file');
      const listed = await listCachedWeights();
      const present = listed.filter(({ bytes }) => bytes !== undefined);
      expect(present).toMatchObject([{ path, bytes: 1, record: undefined }]);
      // A file of that name wins.
      mkdirSync(join(folder, 'base'));
      writeFileSync(join(folder, 'base', 'resnet50'), '');
      const own = resolveWeights('resnet50', 'resnet50', (name) => join(folder, 'base', name));
      expect(own).toBe(join(folder, 'base', 'resnet50'));
    } finally {
      if (before === undefined) delete process.env.CARRYOVER_WEIGHTS;
      else process.env.CARRYOVER_WEIGHTS = before;
    }
  });
});
