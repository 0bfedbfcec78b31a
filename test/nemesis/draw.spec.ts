import { describe, expect, it } from 'vitest';
import { draw, holdsOf, seedOf } from './draw.ts';
import type { NamedFault } from './fault.ts';

const fault = (name: string, more: Partial<NamedFault> = {}): NamedFault => ({
  name,
  what: 'Something breaks.',
  targets: ['a', 'b', 'c'],
  begin: () => Promise.resolve(),
  ...more,
});
const CATALOGUE = [
  fault('freeze', { lasts: [200, 9_000] }),
  fault('kill', { lasts: [100, 5_000], weight: 3 }),
  fault('cut', { targets: ['a>b'] }),
  fault('rollout', { targets: ['all'], holds: () => ['a', 'b', 'c'] }),
  fault('slow', {
    targets: ['b>a'],
    draw: (random) => ({ ms: random.integer(1, 1_000) }),
    lasts: [1, 2_000],
  }),
];
const drawn = (seed: number, lasts = 60_000) => draw(CATALOGUE, { seed, product: 'any', lasts });
const SEEDS = Array.from({ length: 200 }, (_, i) => seedOf(1, i));

describe('a schedule', () => {
  it('is the same for the same seed, and another one for another seed', () => {
    expect(drawn(42)).toEqual(drawn(42));
    expect(new Set(SEEDS.map((seed) => JSON.stringify(drawn(seed).steps))).size).toBe(SEEDS.length);
  });

  it('begins calmly, and no step begins after the load', () => {
    for (const { at } of SEEDS.flatMap((seed) => drawn(seed).steps)) {
      expect(at).toBeGreaterThanOrEqual(1_000);
      expect(at).toBeLessThan(60_000);
    }
  });

  it('has several faults at once, but never two that hold the same thing', () => {
    let overlaps = 0;
    for (const seed of SEEDS) {
      const { steps } = drawn(seed);
      for (const [i, one] of steps.entries())
        for (const other of steps.slice(i + 1)) {
          if (other.at >= one.at + one.lasts) continue;
          overlaps += 1;
          const [held, wanted] = [one, other].map((step) =>
            holdsOf(
              CATALOGUE.find(({ name }) => name === step.fault)!,
              step.target,
            ),
          );
          expect(held!.filter((what) => wanted!.includes(what))).toEqual([]);
        }
    }
    expect(overlaps).toBeGreaterThan(SEEDS.length);
  });

  it('draws every fault, the weighty ones more often, with times and values in their ranges', () => {
    const steps = SEEDS.flatMap((seed) => drawn(seed).steps);
    const times = (name: string) => steps.filter((step) => step.fault === name).length;
    for (const { name } of CATALOGUE) expect(times(name)).toBeGreaterThan(0);
    expect(times('kill')).toBeGreaterThan(times('freeze'));
    for (const step of steps.filter(({ fault: name }) => name === 'slow')) {
      expect(step.lasts).toBeLessThanOrEqual(2_000);
      expect(step.with.ms).toBeGreaterThanOrEqual(1);
    }
    expect(steps.filter(({ fault: name }) => name === 'cut').every(({ lasts }) => lasts === 0)).toBe(true);
  });

  it('is as dense as asked for', () => {
    const count = (everyMs: number) =>
      SEEDS.reduce(
        (sum, seed) =>
          sum + draw([CATALOGUE[2]!], { seed, product: 'any', lasts: 60_000, everyMs }).steps.length,
        0,
      ) / SEEDS.length;
    expect(count(20_000)).toBeGreaterThan(1);
    expect(count(20_000)).toBeLessThan(5);
    expect(count(2_500)).toBeGreaterThan(12);
  });
});

it('The first schedule of a run has the seed that was given: what is printed can be run again', () => {
  expect(seedOf(7, 0)).toBe(7);
  expect(seedOf(7, 1)).toBe(seedOf(7, 1));
  expect(seedOf(7, 1)).not.toBe(seedOf(7, 2));
});
