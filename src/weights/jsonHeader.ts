/**
 * JSON as a safetensors header may use it: shallow, with every key once. `JSON.parse` keeps the last of
 * two equal keys without a word, and builds whatever a hostile header asks for, so the bytes are walked
 * once before it runs.
 */

/** Header object, its entries, their lists. */
const deepest = 3;
const mostKeys = 20_000;
/** In all objects together: an entry has three. */
const mostKeysInAll = 100_000;
const mostElements = 64;

const code = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  backslash: 0x5c,
  openList: 0x5b,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

interface Container {
  /** The keys so far of an object; `undefined` for a list. */
  keys: Set<string> | undefined;
  elements: number;
}

/** The index after the string that opens at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  let index = start + 1;
  while (index < bytes.length && bytes[index] !== code.quote) {
    index += bytes[index] === code.backslash ? 2 : 1;
  }
  return index + 1;
}

/** Walks the bytes; the grammar itself is left to `JSON.parse`. @throws Error */
function checkStructure(bytes: Uint8Array): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: Container[] = [];
  let keyNext = false;
  let keys = 0;
  let index = 0;
  while (index < bytes.length) {
    const byte = bytes[index];
    const inside = open.at(-1);
    if (byte === code.quote) {
      const end = endOfString(bytes, index);
      if (keyNext && inside?.keys) {
        keys += 1;
        if (keys > mostKeysInAll) throw new Error(`more than ${mostKeysInAll} keys`);
        addKey(inside.keys, text.toString('utf8', index, end));
      }
      keyNext = false;
      index = end;
      continue;
    }
    if (byte === code.openObject || byte === code.openList) {
      if (open.length === deepest) throw new Error(`nesting deeper than ${deepest}`);
      keyNext = byte === code.openObject;
      open.push({ keys: keyNext ? new Set() : undefined, elements: 1 });
    } else if (byte === code.closeObject || byte === code.closeList) {
      open.pop();
      keyNext = false;
    } else if (byte === code.comma && inside) {
      keyNext = inside.keys !== undefined;
      inside.elements += 1;
      const most = inside.keys ? mostKeys : mostElements;
      if (inside.elements > most) throw new Error(`more than ${most} elements in one place`);
    }
    index += 1;
  }
}

function addKey(keys: Set<string>, quoted: string): void {
  const key: unknown = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
  const name = String(key);
  if (keys.has(name)) throw new Error(`the key "${name.slice(0, 200)}" twice`);
  keys.add(name);
}

/**
 * The value of UTF-8 JSON whose keys are unique, at most three levels deep.
 * @throws Error whose message says what is wrong with it.
 */
export function parseHeaderJson(bytes: Uint8Array): unknown {
  checkStructure(bytes);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}
