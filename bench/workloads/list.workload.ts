import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../testbed/open-filled.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

export const list = (subject: Subject): Workload => ({
  name: subject.list.name,
  title: subject.list.title,
  run: async (bench) => {
    const { testbed, sides, callers } = await openBothSides(bench, subject);
    const requests = callers.map(({ token }) => subject.list.request(token));
    await assertSame(testbed, sides, requests, { statements: true, answers: true });
    const measured = await compareRates(bench, testbed, sides, { requests });
    return rateOutcome(sides, measured, { atLeast: 0.7 });
  },
});
