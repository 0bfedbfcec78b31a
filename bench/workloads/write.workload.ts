import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../testbed/open-filled.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

export const write = (subject: Subject): Workload => ({
  name: subject.write.name,
  title: subject.write.title,
  run: async (bench) => {
    const { testbed, sides, callers, things } = await openBothSides(bench, subject);
    const requests = callers.map((caller, index) => subject.write.request(caller, index, things, 2));
    await assertSame(testbed, sides, requests, { statements: true, answers: false });
    const measured = await compareRates(bench, testbed, sides, {
      requests,
      // Every round starts with the same tables; no worker consumes the events. In the order in which a
      // transaction that the last round has left open uses them, or the two would deadlock.
      prepare: () => testbed.sql.query('TRUNCATE idempotency_records, outbox_events'),
    });
    return {
      ...rateOutcome(sides, measured, { atLeast: 0.7 }),
      notes: ['No worker runs: the events stay in the outbox and are cleared before each round.'],
    };
  },
});
