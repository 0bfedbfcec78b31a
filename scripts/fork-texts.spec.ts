import { describe, expect, it } from 'vitest';
import { MarkFailure, withoutMarked } from './lib/fork/marks.js';
import { renamed, titleOf } from './lib/fork/rename.js';

const without = (text: string, ...gone: string[]): string =>
  withoutMarked('a.md', text, new Set(gone), 'Sends bills.');

describe('a marked part of a text', () => {
  const text = 'Before.\n\n<!-- only: orders, products -->\n\nPlace an order.\n\n<!-- end -->\n\nAfter.\n';

  it('stays while all of its features are there, marks included', () => {
    expect(without(text, 'exports')).toBe(text);
  });

  it('goes with one of its features', () => {
    expect(without(text, 'products')).toBe('Before.\n\nAfter.\n');
  });

  it('may be one line, such as the row of a table', () => {
    expect(without('| a |\n| b <!-- only: orders --> |\n| c |\n', 'orders')).toBe('| a |\n| c |\n');
  });

  it.each(['# only: orders\nb\n# end\n', '  // only: orders\n  b,\n  // end\n'])(
    'is marked by comments of its language: %j',
    (code) => {
      expect(without(`a\n${code}c\n`, 'orders')).toBe('a\nc\n');
    },
  );

  it('may be for forks alone, and describe them', () => {
    const forFork =
      '# Title\n\n<!-- fork: {description} -->\n<!-- only: starter -->\n\nFork me.\n\n<!-- end -->\n';

    expect(without(forFork, 'orders')).toBe(forFork);
    expect(without(forFork, 'starter')).toBe('# Title\n\nSends bills.\n');
  });

  it.each(['<!-- only: orders -->\nno end\n', '<!-- end -->\n', '# only: a\n# only: b\n# end\n'])(
    'needs one beginning and one end: %j',
    (broken) => {
      expect(() => without(broken)).toThrow(MarkFailure);
    },
  );
});

describe('a new name', () => {
  const from = { name: 'old-shop', title: 'Old Shop' };
  const to = { name: 'acme-billing', title: titleOf('acme-billing') };

  it.each([
    ['postgresql://old-shop:x@db/old-shop', 'postgresql://acme-billing:x@db/acme-billing'],
    ['Old Shop is up', 'Acme Billing is up'],
    ['OLD_SHOP_HOME', 'ACME_BILLING_HOME'],
    ['{old-shop}:jobs', '{acme-billing}:jobs'],
  ])('replaces the old one in %j', (before, after) => {
    expect(renamed(before, from, to)).toBe(after);
  });

  it('leaves the record of the fork its name', () => {
    expect(renamed('see old-shop.json', from, to)).toBe('see old-shop.json');
  });
});
