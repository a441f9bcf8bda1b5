/** What WT-ST-n/m does to every registered network, by name, for every n. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel, type ImageModel, modelIds, tensorRoles } from '../../src/models/index.ts';
import { planTransfer, type TransferSettings } from '../../src/transfer/index.ts';

const seed = 0;

describe.each([...modelIds(), 'deit_small:5'])('%s', (id) => {
  let model: ImageModel;
  beforeAll(() => {
    model = createModel(id, { classes: 2 });
  });
  afterAll(() => model.dispose());

  it('has each tensor as in WT up to module n and as in ST after it, for every n', () => {
    const plan = (settings: Omit<TransferSettings, 'seed'>) =>
      planTransfer(model, { ...settings, seed });
    const [transferred, sampled] = [plan({ scheme: 'wt' }), plan({ scheme: 'st' })];
    const names = [...model.state().keys()];
    const modules = new Map(
      names.map((name) => [
        name,
        model.groups.findIndex(({ name: own }) => own === model.groupOf(name)?.name),
      ]),
    );
    const position = (name: string): number => modules.get(name) ?? -1;
    const backbone = names.filter((name) => !model.isHead(name));
    expect([...transferred.keys()]).toEqual(names);
    expect(backbone.filter((name) => transferred.get(name) !== 'kept')).toEqual([]);
    expect(backbone.filter((name) => sampled.get(name) === 'kept')).toEqual([]);
    for (let keep = 0; keep <= model.groups.length; keep++) {
      const mixed = plan({ scheme: 'wt-st', keep });
      const wrong = backbone.filter((name) => {
        const expected = position(name) < keep ? transferred : sampled;
        return mixed.get(name) !== expected.get(name);
      });
      expect(wrong, `n = ${keep}`).toEqual([]);
      // Every module has something that n decides about: no two n are the same network.
      const kept = new Set(backbone.filter((name) => mixed.get(name) === 'kept').map(position));
      expect([...kept].sort((a, b) => a - b)).toEqual(Array.from({ length: keep }, (_, n) => n));
    }
    for (const settings of [transferred, sampled, plan({ scheme: 'ri' })]) {
      const head = names.filter((name) => model.isHead(name));
      expect(head.map((name) => settings.get(name))).toEqual(head.map(() => 'random'));
    }
  });

  it('draws layers and tokens and resets norms, as the options say', () => {
    const roles = tensorRoles(model);
    const sampled = planTransfer(model, { scheme: 'st', seed });
    const other = planTransfer(model, { scheme: 'st', seed, norm: 'sample', tokens: 'keep' });
    const wrong = [...roles].filter(([name, { layer, part }]) => {
      if (model.isHead(name)) return false;
      const learnt = part === 'weight' || part === 'bias';
      const expected = layer === 'token' ? 'kept' : learnt ? 'sampled' : 'reset';
      return (
        sampled.get(name) !== (layer === 'norm' ? 'reset' : 'sampled') ||
        other.get(name) !== expected
      );
    });
    expect(wrong).toEqual([]);
  });
});
