import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../testbed/open-filled.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

export const read = (subject: Subject): Workload => ({
  name: subject.read.name,
  title: subject.read.title,
  run: async (bench) => {
    const { testbed, sides, reads } = await openBothSides(bench, subject);
    const requests = await reads();
    await assertSame(testbed, sides, requests, { statements: true, answers: true });
    const measured = await compareRates(bench, testbed, sides, { requests });
    return rateOutcome(sides, measured, { atLeast: 0.7, p99AtMost: 1.5 });
  },
});
