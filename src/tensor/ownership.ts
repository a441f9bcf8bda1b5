/**
 * Who frees a tensor. Memory is explicit: `scope` frees every tensor made inside it that it does not
 * return. Tensors that no scope owns (parameters, data held over) are freed by `dispose`, and as a
 * last resort by the garbage collector.
 */
import { type Handle, native } from './native.ts';

/** What `scope` and `keep` need of a tensor. */
export interface Owned {
  readonly disposed: boolean;
  dispose(): void;
}

/** A tensor's own view of its handle, shared with the scope that owns it. */
export class Ownership {
  handle: Handle;
  kept = false;

  constructor(handle: Handle) {
    this.handle = handle;
  }
}

const scopes: Ownership[][] = [];

const collector = new FinalizationRegistry<Ownership>((ownership) => {
  if (ownership.handle === 0) return;
  native.release(ownership.handle);
  ownership.handle = 0;
});

/** Hands a new tensor to the innermost scope, or to the garbage collector where there is none. */
export function adopt(owner: Owned, ownership: Ownership): void {
  const innermost = scopes[scopes.length - 1];
  if (innermost) innermost.push(ownership);
  else collector.register(owner, ownership, ownership);
}

/** Frees at once. Harmless a second time. */
export function release(ownership: Ownership): void {
  if (ownership.handle === 0) return;
  native.release(ownership.handle);
  ownership.handle = 0;
  collector.unregister(ownership);
}

/** Takes a tensor out of all scopes: it lives until disposed of. */
export function exempt(owner: Owned, ownership: Ownership): void {
  if (ownership.kept) return;
  ownership.kept = true;
  if (scopes.length > 0) collector.register(owner, ownership, ownership);
}

let batch = new Float64Array(1024);

/**
 * Runs `body` in a scope of its own; `survivors` names what it returns. What survives belongs to the
 * surrounding scope from then on; all else is freed, also when `body` throws.
 */
export function runScoped<T>(
  body: () => T,
  survivors: (value: T) => Iterable<readonly [Owned, Ownership]>,
): T {
  const owned: Ownership[] = [];
  scopes.push(owned);
  let surviving = new Map<Ownership, Owned>();
  try {
    const value = body();
    surviving = new Map([...survivors(value)].map(([owner, ownership]) => [ownership, owner]));
    return value;
  } finally {
    scopes.pop();
    const parent = scopes[scopes.length - 1];
    if (batch.length < owned.length) batch = new Float64Array(2 * owned.length);
    let count = 0;
    for (const ownership of owned) {
      if (ownership.handle === 0 || ownership.kept) continue;
      const owner = surviving.get(ownership);
      if (owner) {
        if (parent) parent.push(ownership);
        else collector.register(owner, ownership, ownership);
      } else {
        batch[count++] = ownership.handle;
        ownership.handle = 0;
      }
    }
    if (count > 0) native.releaseMany(batch, count);
  }
}
