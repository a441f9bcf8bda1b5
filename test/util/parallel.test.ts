import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/util/index.ts';

/** Work that ends when it is told to, and what was begun so far. */
function manual(): {
  begun: string[];
  work: (name: string) => Promise<void>;
  end: (name: string, error?: Error) => Promise<void>;
} {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const work = (name: string): Promise<void> => {
    begun.push(name);
    return new Promise((resolve, reject) => {
      ends.set(name, (error) => (error ? reject(error) : resolve()));
    });
  };
  const end = async (name: string, error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await setImmediate();
  };
  return { begun, work, end };
}

describe('turns', () => {
  it('serve all of the first caller before any of the second, so many at once', async () => {
    const { begun, work, end } = manual();
    const turns = new Turns(2);
    const first = turns.each(['a', 'b', 'c'], work);
    const second = turns.each(['d', 'e'], work);
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('c');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    await end('a');
    await first;
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
    await end('d');
    await end('e');
    await second;
    const third = turns.each(['f', 'g', 'h'], work);
    expect(begun.slice(5)).toEqual(['f', 'g']);
    for (const name of ['f', 'g', 'h']) await end(name);
    await third;
  });

  it('end with the first failure, and go on for others', async () => {
    const { begun, work, end } = manual();
    const turns = new Turns(1);
    const failing = expect(turns.each(['a', 'b', 'c'], work)).rejects.toThrow('of a');
    const other = turns.each(['d'], work);
    await end('a', new Error('of a'));
    await failing;
    expect(begun).toEqual(['a', 'd']);
    await end('d');
    await other;
  });
});
