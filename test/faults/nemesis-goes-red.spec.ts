import { beforeAll, describe, expect, it } from 'vitest';
import { discoverFaults, loadProduct } from '../nemesis/catalogue.ts';
import { describeBroken } from '../nemesis/report/terminal.ts';
import { reported } from '../nemesis/report/report.ts';
import { runSchedule } from '../nemesis/run-schedule.ts';
import { discoverSabotages, sabotagedCopy, sabotageOf } from '../nemesis/sabotage.ts';
import type { Schedule } from '../nemesis/schedule.ts';

// A search that cannot find anything proves nothing: here mends are taken out of a copy of the build on purpose.
const product = await loadProduct('ledger');
const faults = await discoverFaults();
let dist: string;

/** The freezes catch many requests half-way, and the events are all delivered again: nothing here is left to chance. */
const schedule: Schedule = {
  seed: 1,
  product: 'ledger',
  lasts: 11_000,
  steps: [
    { at: 2_000, lasts: 4_000, fault: 'freeze-server', target: 'postgres', with: {} },
    { at: 6_500, lasts: 3_000, fault: 'freeze-server', target: 'postgres', with: {} },
    // A change of the accounts' version: every transfer returns it.
    { at: 9_700, lasts: 1_000, fault: 'widen-column', target: 'table', with: { pick: 0 } },
    { at: 10_200, lasts: 0, fault: 'deliver-again', target: 'outbox', with: { seconds: 20 } },
  ],
};

beforeAll(async () => {
  dist = await product.build();
});

/** @returns the names of the broken invariants, and what they found */
async function brokenBy(build: string): Promise<{ broken: string[]; found: string }> {
  const result = await runSchedule(schedule, product, faults, { dist: build, env: {} });
  const broken = result.invariants.filter(({ violations }) => violations.length > 0);
  return {
    broken: broken.map(({ name }) => name),
    found: describeBroken(reported(result), '').join('\n').slice(0, 5_000),
  };
}

describe('the nemesis', () => {
  it('finds nothing in the product as it is', async () => {
    const { broken, found } = await brokenBy(dist);
    expect(broken, found).toEqual([]);
  });

  it.each([
    ['no-inbox', 'events-once'],
    ['cached-plans-kept', 'well-formed-answers'],
    ['readiness-asks-postgresql', 'readiness-reasons'],
  ])('finds %s: it breaks %s', async (name, invariant) => {
    const copy = sabotagedCopy(dist, await sabotageOf(name));
    try {
      const { broken, found } = await brokenBy(copy.dist);
      expect(broken, found).toContain(invariant);
    } finally {
      copy.remove();
    }
  });

  it('can take every mend out of the present build', async () => {
    for (const sabotage of await discoverSabotages()) sabotagedCopy(dist, sabotage).remove();
  });
});
