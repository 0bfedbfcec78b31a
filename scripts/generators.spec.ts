import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { helpOf, kinds, overview, spelledOut } from './lib/generators.js';

describe('the help of the generators', () => {
  it('lists each with what it does', () => {
    for (const kind of kinds()) expect(overview()).toMatch(new RegExp(`^  ${kind} +[A-Z].+\\.$`, 'm'));
  });

  it.each(kinds())('says of %s what it takes', (kind) => {
    expect(existsSync(`schematics/${kind}/schema.json`)).toBe(true);
    for (const line of helpOf(kind)
      .split('\n')
      .filter((one) => /^ {2}(--|[A-Z]+ )/.test(one)))
      expect(line).toMatch(/^ {2}\S+( [A-Z]+)? +[A-Z].{8,}$/);
  });

  it('names what is switched off as it is written', () => {
    expect(helpOf('feature')).toMatch(/^ {2}--no-http +Without routes/m);
  });

  it('names the kinds of fields where there are fields', () => {
    expect(helpOf('feature')).toMatch(/kinds +string\(40\), text, .*ref\(users\)/);
  });
});

it('Options that switch something off reach the generator as such', () => {
  expect(spelledOut(['seats', '--no-http', '--fields', 'a:text', '--no-interactive'])).toEqual([
    'seats',
    '--http=false',
    '--fields',
    'a:text',
    '--no-interactive',
  ]);
});
