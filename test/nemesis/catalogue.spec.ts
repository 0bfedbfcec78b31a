import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { discoverFaults } from './catalogue.ts';
import { Random } from './random.ts';

const faults = await discoverFaults();

describe('the catalogue of faults', () => {
  it('is sorted by name, without duplicates', () => {
    const names = faults.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(30);
    expect(names).toEqual([...new Set(names)].toSorted());
  });

  describe.each(faults)('$name', ({ draw, holds, targets, lasts }) => {
    it('draws the same from the same seed, and only what a report can hold', () => {
      for (const target of targets) {
        for (const seed of [1, 2, 3, 4, 5]) {
          const drawn = draw?.(new Random(seed), target) ?? {};
          expect(draw?.(new Random(seed), target) ?? {}).toEqual(drawn);
          expect(JSON.parse(JSON.stringify(drawn))).toEqual(drawn);
        }
        expect(holds?.(target) ?? [target]).not.toEqual([]);
      }
    });

    it('is over soon enough for others in a schedule of a minute', () => {
      expect(lasts?.[1] ?? 0).toBeLessThanOrEqual(15_000);
    });
  });
});

describe('a file of the folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-faults-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const complete = {
    what: `'A thing breaks.'`,
    targets: `['thing']`,
    begin: '() => Promise.resolve()',
  };
  const discover = (members: Record<string, string | undefined>) => {
    const lines = Object.entries(members).map(([name, value]) => value && `export const ${name} = ${value};`);
    writeFileSync(join(folder, 'thing-broken.fault.ts'), lines.filter(Boolean).join('\n'));
    return discoverFaults(folder);
  };

  it('is a fault, and needs no registration', async () => {
    expect(await discover(complete)).toMatchObject([{ name: 'thing-broken', targets: ['thing'] }]);
  });

  it.each([
    ['no sentence', { what: `'broken'` }, 'what (a sentence)'],
    ['no target', { targets: '[]' }, 'targets (at least one)'],
    ['no weight', { weight: '0' }, 'a weight above 0'],
    ['nothing to begin', { begin: undefined }, 'begin (a function)'],
    ['an end before its beginning', { lasts: '[2, 1]', end: '() => {}' }, 'lasts (shortest and longest'],
    ['no end', { lasts: '[1, 2]' }, 'both lasts and end, or neither'],
    ['no time to end', { end: '() => {}' }, 'both lasts and end, or neither'],
  ])('is refused with %s', async (_, members, message) => {
    await expect(discover({ ...complete, ...members })).rejects.toThrow(
      `thing-broken.fault.ts must export ${message}`,
    );
  });
});
