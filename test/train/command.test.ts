/** `carryover train` as a command: what it takes, refuses, prints. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { runRecordSchema } from '../../src/results/index.ts';
import { Workplace, writeClasses } from './fixture.ts';

class Sink {
  text = '';
  write(text: string): void {
    this.text += text;
  }
}

async function carryover(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const code = await runProgram(argv, { stdout, stderr });
  process.exitCode = undefined;
  return { code, out: stdout.text, err: stderr.text };
}

describe('carryover train', () => {
  const place = new Workplace();
  const short = ['size=32', 'batchSize=8', 'maxIterations=2', 'threads=1', 'workers=0'];
  const settings = [...short, 'precision=fp32'].flatMap((text) => ['--set', text]);
  const data = `folder:${place.path('pictures')}`;
  beforeAll(() => writeClasses(place.path('pictures'), ['one', 'two', 'three'], 14));
  afterAll(() => place.remove());
  const minimal = ['--data', data, '--model', 'resnet18_micro', '--init', 'ri'];

  it('trains, prints the metrics, and finds itself finished', async () => {
    const command = ['train', ...minimal, '--seed', '3', '--out', place.path('run'), ...settings];
    const { code, out, err } = await carryover(...command);
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    expect(out).toMatch(/metric +validation +test/);
    expect(out).toMatch(/recall \* +\d\.\d{4} +\d\.\d{4}/);
    expect(out).toContain(`written to ${place.path('run')}`);
    expect(err).toMatch(/samples +34 +4 +4 +42/);
    expect(err).toMatch(/iteration 2: validation recall \d\.\d{4} \(best so far\)/);
    const again = await carryover(...command);
    expect(again.code).toBe(0);
    expect(again.err).toContain('this run is finished; nothing to do');
  });

  it('prints one JSON document', async () => {
    const { code, out } = await carryover(
      ...['train', ...minimal, '--out', place.path('json'), '--json', ...settings],
    );
    expect(code).toBe(0);
    const record = runRecordSchema.parse(JSON.parse(out));
    expect(record.status).toBe('finished');
  });

  it('keeps the first modules of a checkpoint under wt-st-n', async () => {
    const source = ['train', ...minimal, '--out', place.path('source'), ...settings];
    expect((await carryover(...source)).code).toBe(0);
    const weights = place.path('source', 'best.safetensors');
    const partial = (init: string, out: string) =>
      carryover(
        ...['train', ...minimal.slice(0, -1), init, '--weights', weights],
        ...['--out', place.path(out), '--json', ...settings],
      );
    const { code, out } = await partial('wt-st-2', 'partial');
    expect(code).toBe(0);
    const record = runRecordSchema.parse(JSON.parse(out));
    expect(record.config.init).toBe('wt-st-2');
    expect(record.initialisation).toMatchObject({
      label: 'WT-ST-2/4',
      keptModules: ['conv1', 'bn1'],
    });
    const refused = await partial('wt-st-9', 'refused');
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/expected wt-st-0 to wt-st-6, the modules of resnet18_micro/);
  });

  it('takes a file, with the options on top', async () => {
    const path = place.path('run.yaml');
    const text = 'data: folder:pictures\nmodel: deit_micro\ninit: ri\ntraining:\n  maxEpochs: 1\n';
    writeFileSync(path, text);
    const { code, out, err } = await carryover(
      ...['train', '--config', path, '--model', 'resnet18_micro', '--out', place.path('file')],
      ...[...settings, '--json'],
    );
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      config: { model: 'resnet18_micro', training: { maxEpochs: 1 } },
    });
  });

  it.each<[string, string[], RegExp]>([
    ['no data set', ['--model', 'm', '--init', 'ri'], /expected --data, got none/],
    ['no folder', [], /expected .*--out/],
    ['an unknown kind', ['--data', 'foldr:x', '--model', 'm', '--init', 'ri'], /mean folder/],
    [
      'an unknown model',
      [...minimal, '--model', 'resnet18_mirco'],
      /model: .*did you mean resnet18/,
    ],
    [
      'an unknown scheme',
      [...minimal, '--init', 'ir'],
      /init: expected one of wt, st, ri or wt-st-<n>, got "ir"/,
    ],
    ['no checkpoint', [...minimal, '--init', 'wt'], /weights: expected a checkpoint/],
    ['a seed that is no number', [...minimal, '--seed', 'x'], /--seed: expected a whole number/],
    ['an unknown setting', [...minimal, '--set', 'patienc=3'], /mean .*patience/],
    [
      'an unknown nested key',
      [...minimal, '--set', 'training.lr=3'],
      /training\.lr: expected a known/,
    ],
    [
      'an unknown augmentation',
      [...minimal, '--set', 'augment={flip: 1}'],
      /training\.augment: flip: .*mean horizontalFlip/,
    ],
    ['no file', ['--config', '/nowhere.yaml'], /\/nowhere\.yaml: expected a file .*no such file/],
    ['an empty folder name', [...minimal, '--out', ' '], /--out: expected a folder, got nothing/],
    ['an unknown option', [...minimal, '--sed', '1'], /did you mean --set, --seed|--seed/],
    ['no such pictures', [...minimal, '--data', 'folder:/nowhere'], /\/nowhere/],
  ])('refuses %s', async (name, options, message) => {
    const out =
      options.includes('--out') || name === 'no folder' ? [] : ['--out', place.path('refused')];
    const { code, err } = await carryover('train', ...options, ...out);
    expect(err).toMatch(message);
    expect(err.split('\n').filter((line) => line.startsWith('error: '))).toHaveLength(1);
    expect(code).toBe(2);
  });
});
