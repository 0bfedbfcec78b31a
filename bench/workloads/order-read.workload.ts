import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../stage/open-shop.ts';
import type { Workload } from '../workload.ts';

export const orderRead: Workload = {
  name: 'order-read',
  title: 'Authenticated read of one order by its id',
  run: async (bench) => {
    const { stage, sides, ordersOf } = await openBothSides(bench);
    const requests = (await ordersOf()).map(({ id, token }) => ({
      method: 'GET' as const,
      path: `/v1/orders/${id}`,
      token,
    }));
    await assertSame(stage, sides, requests, { statements: true, answers: true });
    const measured = await compareRates(bench, stage, sides, { requests });
    return rateOutcome(sides, measured, { atLeast: 0.7, p99AtMost: 1.5 });
  },
};
