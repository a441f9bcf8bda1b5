/** What a pickle may hold here: Python's plain values and containers, allow-listed globals, tensors. */

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleDictionary
  | PickleSet
  | PickleGlobal
  | PickleObject;

export class PickleTuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

export class PickleList {
  readonly items: PickleValue[] = [];
}

/** A `dict`, or one of its plain relatives in `collections`. */
export class PickleDictionary {
  readonly entries = new Map<PickleValue, PickleValue>();
}

export class PickleSet {
  readonly items = new Set<PickleValue>();
}

/** A class or function by name. Only names on the allow-list come to exist, and none of them is code. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What an allow-listed call gave: a tensor or a reference to a storage. */
export abstract class PickleObject {
  /** For error messages. */
  abstract readonly kind: string;
}

/** A value's kind for error messages; never its contents, which may be large or circular. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return 'a large integer';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`;
  if (value instanceof PickleList) return `a list of ${value.items.length}`;
  if (value instanceof PickleDictionary) return `a dict of ${value.entries.size}`;
  if (value instanceof PickleSet) return `a set of ${value.items.size}`;
  if (value instanceof PickleGlobal) return `the global ${value.name}`;
  return value.kind;
}
