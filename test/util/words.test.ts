/** Words that captions, tables and pages share, and text put into Markdown. */
import { describe, expect, it } from 'vitest';
import {
  counted,
  decimal,
  escapeMarkdown,
  listed,
  listedFirst,
  whole,
} from '../../src/util/index.ts';

describe('numbers in words', () => {
  it('have a true minus sign, and none where they are rounded to 0', () => {
    expect([-0.0004, 0.0004, -0.0006, -0].map((value) => decimal(value))).toEqual([
      '0.000',
      '0.000',
      '−0.001',
      '0.000',
    ]);
    expect(decimal(-0.4, 0)).toBe('0');
  });

  it('are counted, one and many', () => {
    expect(counted(1, 'seed')).toBe('1 seed');
    expect(counted(0, 'seed')).toBe('0 seeds');
    expect(counted(12345, 'analysis', 'analyses')).toBe('12,345 analyses');
    expect(whole(2.5e6)).toBe('2,500,000');
  });

  it('are listed', () => {
    const lists = [[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((items) => listed(items));
    expect(lists).toEqual(['', 'a', 'a and b', 'a, b and c']);
    expect(listed(['a', 'b'], 'or')).toBe('a or b');
    const first = [1, 2, 3].map((most) => listedFirst(['a', 'b', 'c'], most));
    expect(first).toEqual(['a and 2 more', 'a, b and 1 more', 'a, b and c']);
  });
});

describe('text in Markdown', () => {
  it('is itself, on one line', () => {
    expect(escapeMarkdown('a_b *c*\n| [d](e) <f> `g` #h ~i~ \\')).toBe(
      'a\\_b \\*c\\* \\| \\[d\\](e) \\<f\\> \\`g\\` \\#h \\~i\\~ \\\\',
    );
  });
});
