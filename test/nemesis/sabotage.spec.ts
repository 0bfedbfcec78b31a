import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privateDirectory } from '../../local/servers/private-directory.ts';
import type { PrivateDirectory } from '../../local/servers/private-directory.ts';
import { apply, discoverSabotages, sabotageOf } from './sabotage.ts';

let folder: PrivateDirectory;

beforeAll(async () => {
  folder = await privateDirectory('sabotage');
  mkdirSync(join(folder.path, 'part'));
});

afterAll(() => folder.remove());

function sabotaged(content: string, from: string, to: string): string {
  const file = join(folder.path, 'part', 'some.js');
  writeFileSync(file, content);
  apply({ name: 'some', what: '', replacements: [{ file: 'part/some.js', from, to }] }, folder.path);
  return readFileSync(file, 'utf8');
}

describe('a sabotage', () => {
  it('replaces a text as it stands', () => {
    expect(sabotaged('a = $1; b', 'a = $1', "a = $&$'")).toBe("a = $&$'; b");
  });

  it.each([
    ['is gone', 'b', 'its text is 0 times'],
    ['is there twice', 'a a', 'its text is 2 times'],
  ])('fails when its text %s: the product has changed', (_, content, message) => {
    expect(() => sabotaged(content, 'a', 'c')).toThrow(message);
  });

  it('is found by its name, and says in a sentence what it does', async () => {
    const all = await discoverSabotages();
    expect(all.map(({ name }) => name)).toContain('no-inbox');
    for (const { what, replacements } of all) {
      expect(what).toMatch(/^[A-Z].* /);
      expect(replacements.length).toBeGreaterThan(0);
    }
    await expect(sabotageOf('no-such')).rejects.toThrow('Unknown sabotage "no-such"; there are ');
  });
});
