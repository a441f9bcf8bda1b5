/** Random number generators of LibTorch: own streams, and the default one that dropout draws from. */

import { tensor } from './creation.ts';
import { native } from './native.ts';
import { type Device, scope, Tensor } from './tensor.ts';

/** A stream of random numbers on a device, independent of all others. */
export class Generator {
  readonly id: number;
  #disposed = false;

  constructor(seed: number, device: Device = 'cpu') {
    this.id = native.generatorCreate(device, seed);
  }

  /** The whole state as bytes. */
  getState(): Uint8Array {
    return stateOf(this.id);
  }

  setState(state: Uint8Array): void {
    setStateOf(this.id, state);
  }

  dispose(): void {
    if (!this.#disposed) native.generatorRelease(this.id);
    this.#disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function stateOf(id: number): Uint8Array {
  return scope(() => new Tensor(native.generatorState(id)).toTypedArray()) as Uint8Array;
}

function setStateOf(id: number, state: Uint8Array): void {
  scope(() => native.generatorSetState(id, tensor(state, { dtype: 'uint8' }).handle));
}

const defaults = new Map<Device, number>();

function defaultId(device: Device): number {
  let id = defaults.get(device);
  if (id === undefined) {
    id = native.generatorDefault(device);
    defaults.set(device, id);
  }
  return id;
}

/** Seeds the default generators of the CPU and of every GPU. */
export function manualSeed(seed: number): void {
  native.generatorSeed(defaultId('cpu'), seed);
  for (let index = 0; index < native.cudaDeviceCount(); index++) {
    native.generatorSeed(defaultId(`cuda:${index}`), seed);
  }
}

/** The state of a device's default generator. */
export function getRandomState(device: Device = 'cpu'): Uint8Array {
  return stateOf(defaultId(device));
}

/** Puts a device's default generator back into a state that `getRandomState` gave. */
export function setRandomState(state: Uint8Array, device: Device = 'cpu'): void {
  setStateOf(defaultId(device), state);
}
