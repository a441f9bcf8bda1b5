/**
 * The base of layers and models: named parameters, buffers and children, as `torch.nn.Module` names
 * and orders them, so that checkpoints of PyTorch's ecosystem match by name.
 */
import { type Device, keep, noGrad, scope, type Tensor } from '../tensor/index.ts';

/** Where and how a module's tensors lie in memory; what is left out stays as it is. */
export interface Placement {
  device?: Device;
  /** Applied to tensors of four dimensions only (convolution kernels), as PyTorch does. */
  memoryFormat?: 'contiguous' | 'channelsLast';
}

export abstract class Module {
  /** True while batch norm uses batch statistics and dropout drops; set it by `train()` and `eval()`. */
  training = true;
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #constants: Tensor[] = [];
  readonly #children = new Map<string, Module>();

  /** Registers a trainable tensor, which from now on lives until `dispose()`, and returns it. */
  protected parameter(name: string, tensor: Tensor): Tensor {
    this.#claim(name);
    tensor.requiresGrad = true;
    this.#parameters.set(name, keep(tensor));
    return tensor;
  }

  /** Registers state that is saved but not trained (running statistics), and returns it. */
  protected buffer(name: string, tensor: Tensor): Tensor {
    this.#claim(name);
    this.#buffers.set(name, keep(tensor));
    return tensor;
  }

  /** Registers what follows from the module's shape: it goes where the module goes, and is not saved. */
  protected constant(tensor: Tensor): Tensor {
    this.#constants.push(keep(tensor));
    return tensor;
  }

  /** Registers a sub-module, and returns it. */
  protected child<M extends Module>(name: string, module: M): M {
    this.#claim(name);
    this.#children.set(name, module);
    return module;
  }

  #claim(name: string): void {
    if (name === '' || name.includes('.')) {
      throw new Error(`A module's member cannot be called "${name}": empty, or with a dot.`);
    }
    if (this.#parameters.has(name) || this.#buffers.has(name) || this.#children.has(name)) {
      throw new Error(`A module already has a member called "${name}".`);
    }
  }

  /** The direct sub-modules by name, in order of registration. */
  children(): ReadonlyMap<string, Module> {
    return this.#children;
  }

  /** This module and all below it by dotted name, parents first; its own name is the empty string. */
  namedModules(): Map<string, Module> {
    const modules = new Map<string, Module>([['', this]]);
    for (const [childName, child] of this.#children) {
      for (const [name, module] of child.namedModules()) {
        modules.set(name === '' ? childName : `${childName}.${name}`, module);
      }
    }
    return modules;
  }

  /** All trainable tensors by dotted name, in PyTorch's order: a module's own first, then its children's. */
  namedParameters(): Map<string, Tensor> {
    return this.#collect((module) => [module.#parameters]);
  }

  /** All buffers by dotted name, in PyTorch's order. */
  namedBuffers(): Map<string, Tensor> {
    return this.#collect((module) => [module.#buffers]);
  }

  /**
   * All parameters and buffers by dotted name, in the order of PyTorch's `state_dict()`. The tensors are
   * the module's own, not copies.
   */
  state(): Map<string, Tensor> {
    return this.#collect((module) => [module.#parameters, module.#buffers]);
  }

  #collect(choose: (module: Module) => ReadonlyMap<string, Tensor>[]): Map<string, Tensor> {
    const collected = new Map<string, Tensor>();
    for (const [moduleName, module] of this.namedModules()) {
      for (const members of choose(module)) {
        for (const [name, tensor] of members) {
          collected.set(moduleName === '' ? name : `${moduleName}.${name}`, tensor);
        }
      }
    }
    return collected;
  }

  /** Switches this module and all below it to training behaviour, or to evaluation with `false`. */
  train(mode = true): this {
    for (const module of this.namedModules().values()) module.training = mode;
    return this;
  }

  /** Switches this module and all below it to evaluation behaviour. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Moves parameters, their gradients and buffers. The tensors keep their identity, so that an optimiser
   * or a map that holds them stays valid.
   */
  to(placement: Placement): this {
    scope(() =>
      noGrad(() => {
        for (const tensor of this.state().values()) {
          const { grad } = tensor;
          tensor.setData(place(tensor, placement));
          if (grad) tensor.setGrad(place(grad, placement));
        }
        for (const tensor of this.#allConstants()) tensor.setData(place(tensor, placement));
      }),
    );
    return this;
  }

  /** Frees all parameters, gradients and buffers; the module cannot be used afterwards. */
  dispose(): void {
    for (const tensor of this.state().values()) {
      tensor.clearGrad();
      tensor.dispose();
    }
    for (const tensor of this.#allConstants()) tensor.dispose();
  }

  #allConstants(): Tensor[] {
    return [...this.namedModules().values()].flatMap((module) => module.#constants);
  }
}

/** A module of one tensor in, one tensor out. */
export abstract class Layer extends Module {
  abstract forward(input: Tensor): Tensor;
}

/** Layers one after another, named '0', '1', … as in PyTorch. */
export class Sequential extends Layer {
  readonly layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    super();
    this.layers = layers.map((layer, index) => this.child(String(index), layer));
  }

  override forward(input: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), input);
  }
}

function place(tensor: Tensor, { device, memoryFormat }: Placement): Tensor {
  const format = tensor.shape.length === 4 ? memoryFormat : undefined;
  return tensor.to({ device, memoryFormat: format ?? 'preserve' });
}
