import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../stage/open-shop.ts';
import type { Workload } from '../workload.ts';

export const orderList: Workload = {
  name: 'order-list',
  title: 'Authenticated list of orders, 20 a page',
  run: async (bench) => {
    const { stage, sides, callers } = await openBothSides(bench);
    const requests = callers.map((token) => ({ method: 'GET' as const, path: '/v1/orders?limit=20', token }));
    await assertSame(stage, sides, requests, { statements: true, answers: true });
    const measured = await compareRates(bench, stage, sides, { requests });
    return rateOutcome(sides, measured, { atLeast: 0.7 });
  },
};
