import { assertSame } from '../harness/assert-same.ts';
import { compareRates, rateOutcome } from '../harness/rates.ts';
import { openFilled } from '../testbed/open-filled.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

type ReadPlain = NonNullable<Subject['readPlain']>;

export const plainRead = (subject: Subject, plain: ReadPlain): Workload => ({
  name: plain.name,
  title: plain.title,
  run: async (bench) => {
    const { testbed, api } = await openFilled(bench, subject);
    const rows = await plain.fill(testbed.sql);
    const bare = await testbed.reference(plain.bare);
    const sides = [api, { name: 'bare Nest', url: bare.url, pid: bare.pid }];
    const requests = rows.map(({ id, caller }) => plain.request(id, testbed.tokens.of(caller)));
    await assertSame(testbed, sides, requests, { statements: true, answers: true });
    const measured = await compareRates(bench, testbed, sides, { requests });
    return rateOutcome(sides, measured, { atLeast: 0.85 });
  },
});
