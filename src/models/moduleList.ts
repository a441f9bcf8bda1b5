import { Module } from '../nn/index.ts';

/** Modules named '0', '1', … that their owner calls itself, as `torch.nn.ModuleList`. */
export class ModuleList<M extends Module> extends Module {
  readonly items: readonly M[];

  constructor(items: readonly M[]) {
    super();
    this.items = items.map((item, index) => this.child(String(index), item));
  }
}
