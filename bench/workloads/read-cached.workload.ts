import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../testbed/open-filled.ts';
import { NO_PRACTICAL_LIMIT } from '../testbed/testbed.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

export const readCached = (subject: Subject): Workload => ({
  name: subject.readCached.name,
  title: subject.readCached.title,
  run: async (bench) => {
    const { testbed, sides, things } = await openBothSides(bench, subject, { rateLimit: NO_PRACTICAL_LIMIT });
    const requests = things.map((id) => subject.readCached.request(id));
    await assertSame(testbed, sides, requests, { statements: false, answers: true });
    const measured = await compareRates(bench, testbed, sides, { requests });
    return {
      ...rateOutcome(sides, measured, { atLeast: 1.1 }),
      notes: ['The rate limit is raised, because all callers of this workload come from one address.'],
    };
  },
});
