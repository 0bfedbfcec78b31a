import { compareRates, rateOutcome } from '../harness/rates.ts';
import { sameStatements } from '../harness/same-statements.ts';
import { openShop } from '../stage/open-shop.ts';
import type { Workload } from '../workload.ts';

export const orderRead: Workload = {
  name: 'order-read',
  title: 'Authenticated read of one order by its id',
  run: async (bench) => {
    const { stage, sides, ordersOf } = await openShop(bench);
    const requests = (await ordersOf()).map(({ id, token }) => ({
      method: 'GET' as const,
      path: `/v1/orders/${id}`,
      token,
    }));
    await sameStatements(stage, sides, requests, { sameAnswers: true });
    const measured = await compareRates(bench, stage, sides, { requests });
    return rateOutcome(sides, measured, { atLeast: 0.7, p99AtMost: 1.5 });
  },
};
